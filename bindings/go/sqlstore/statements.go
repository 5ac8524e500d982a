package sqlstore

import _ "embed"

// The files are copies of those in src/store/sqlite/sql, because Go embeds no files from outside
// of a module. A test fails when they differ. Each file documents its parameters.
//
//go:generate sh -c "cd sql && ls | xargs -I FILE cp ../../../../src/store/sqlite/sql/FILE ."

var (
	//go:embed sql/load.sql
	load string
	//go:embed sql/insert.sql
	insert string
	//go:embed sql/replace.sql
	replace string
	//go:embed sql/remove.sql
	remove string
	//go:embed sql/exists.sql
	exists string
	//go:embed sql/sweep.sql
	sweep string
	//go:embed sql/members.sql
	members string
	//go:embed sql/table.sql
	table string
	//go:embed sql/drop_layout_1.sql
	dropLayout1 string
)
