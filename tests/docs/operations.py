"""docs/operations.md: its table has every load result that refuses a cookie, and its unit loads the secret it names."""

import configparser


def check(page, pages, report, servers, working):
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str
    unit.read_string(page.take('ini').text)
    credential = unit['Service']['LoadCredential'].partition(':')[0]
    report.check('docs/operations.md: the text names the credential of the unit', f'the file `{credential}`' in page.text)

    def results(table):
        return {row[0].strip('`') for row in table[1:]}

    all_results = next(table for table in pages['docs/formats.md'].tables() if table[0][0] == 'load result')
    refused = next(table for table in page.tables() if table[0][0] == 'load result')
    report.check('docs/operations.md: its table has each load result of a session that is empty', results(refused),
                 {result for result in results(all_results) if not result.startswith('loaded')})
