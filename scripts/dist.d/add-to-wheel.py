"""Writes a copy of a wheel that has the licences, too: add-to-wheel.py WHEEL NOTICES TARGET."""

import base64
import hashlib
import sys
import zipfile
from pathlib import Path


def main(wheel, notices, target):
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target / wheel.name, 'w', zipfile.ZIP_DEFLATED) as copy:
        [record] = [entry for entry in source.infolist() if entry.filename.endswith('.dist-info/RECORD')]
        information = record.filename.removesuffix('/RECORD')
        lines = source.read(record).decode().splitlines()
        for entry in source.infolist():
            if entry is not record:
                copy.writestr(entry, source.read(entry), zipfile.ZIP_DEFLATED)
        for path in sorted(path for path in notices.rglob('*') if path.is_file()):
            name, data = f'{information}/licenses/{path.relative_to(notices)}', path.read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()
            lines.insert(-1, f'{name},sha256={digest},{len(data)}')
            entry = zipfile.ZipInfo(name, record.date_time)
            entry.external_attr = 0o100644 << 16
            copy.writestr(entry, data, zipfile.ZIP_DEFLATED)
        copy.writestr(record, '\n'.join(lines) + '\n', zipfile.ZIP_DEFLATED)


if __name__ == '__main__':
    main(*map(Path, sys.argv[1:]))
