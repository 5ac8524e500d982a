package goredis

import (
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
)

// The files are copies of src/store/redis/lua, because Go embeds no files from outside of a
// module. A test fails when they differ. Each file documents its keys, arguments and answers.
//
//go:generate sh -c "cd lua && ls | xargs -I FILE cp ../../../../src/store/redis/lua/FILE ."

//go:embed lua/list.lua
var listCode string

//go:embed lua/save.lua
var saveCode string

//go:embed lua/save_long.lua
var saveLongCode string

//go:embed lua/enlist.lua
var enlistCode string

//go:embed lua/members.lua
var membersCode string

//go:embed lua/remove.lua
var removeCode string

// A script is Lua that Redis runs in one atomic step.
type script struct{ code, hash string }

var (
	save     = newScript(listCode + saveCode)
	saveLong = newScript(listCode + saveLongCode)
	enlist   = newScript(listCode + enlistCode)
	members  = newScript(membersCode)
	remove   = newScript(removeCode)
)

func newScript(code string) *script {
	hash := sha1.Sum([]byte(code))
	return &script{code, hex.EncodeToString(hash[:])}
}
