"""Prints a bill of materials of the library and the command, as JSON in the form CycloneDX 1.5."""

import datetime
import json
import os
import tomllib

import linked


def component(name, version, license, purl, kind='library', **more):
    return {'type': kind, 'bom-ref': purl, 'name': name, 'version': version, 'purl': purl,
            'licenses': [{'expression': license}], **more}


def purl(package):
    return f'pkg:cargo/{package["name"]}@{package["version"]}'


def main():
    root, packages, uses = linked.metadata()
    with open('Cargo.lock', 'rb') as file:
        checksums = {(each['name'], each['version']): each.get('checksum') for each in tomllib.load(file)['package']}
    components = [component(package['name'], package['version'], linked.license_expression(package), purl(package),
                            hashes=[{'alg': 'SHA-256', 'content': checksums[package['name'], package['version']]}])
                  for package in packages]
    sqlite = linked.sqlite_version(packages)
    components.append(component('sqlite', sqlite, 'blessing', f'pkg:generic/sqlite@{sqlite}'))
    rust = linked.run('rustc', '--version').split()[1]
    components.append(component('rust-standard-library', rust, 'MIT OR Apache-2.0', f'pkg:generic/rust-std@{rust}'))

    by_id = {package['id']: package for package in [root, *packages]}
    edges = {purl(by_id[user]): sorted(purl(by_id[used]) for used in all_used) for user, all_used in uses.items()}
    edges[purl(root)].append(f'pkg:generic/rust-std@{rust}')
    [bindings] = [ref for ref in edges if ref.startswith('pkg:cargo/libsqlite3-sys@')]
    edges[bindings].append(f'pkg:generic/sqlite@{sqlite}')
    time = datetime.datetime.fromtimestamp(int(os.environ['SOURCE_DATE_EPOCH']), datetime.timezone.utc)
    print(json.dumps({
        'bomFormat': 'CycloneDX', 'specVersion': '1.5', 'version': 1,
        'metadata': {
            'timestamp': time.strftime('%Y-%m-%dT%H:%M:%SZ'),
            'component': component(root['name'], root['version'], root['license'], purl(root)),
        },
        'components': components,
        'dependencies': [{'ref': ref, 'dependsOn': used} for ref, used in sorted(edges.items())],
    }, indent=1))


if __name__ == '__main__':
    main()
