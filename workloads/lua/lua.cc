// Lua 5.4 running a script: workloads/lua/README.md.
#include <sandglass/guest.h>
#include <lua.hpp>

#include "workloads/lua/script.h"

namespace {

// What a script may use: no files, no operating system.
constexpr luaL_Reg kLibraries[] = {
    {LUA_GNAME, luaopen_base},       {LUA_TABLIBNAME, luaopen_table},    {LUA_STRLIBNAME, luaopen_string},
    {LUA_MATHLIBNAME, luaopen_math}, {LUA_COLIBNAME, luaopen_coroutine},
};

// The script's result, or 0 when it failed.
uint64_t call_script(lua_State* lua, uint64_t argument) {
  for (const luaL_Reg& library : kLibraries) {
    luaL_requiref(lua, library.name, library.func, 1);
    lua_pop(lua, 1);
  }
  if (luaL_loadbuffer(lua, kScript, sizeof(kScript) - 1, "=script") != LUA_OK) return 0;
  lua_pushinteger(lua, static_cast<lua_Integer>(argument));
  if (lua_pcall(lua, 1, 1, 0) != LUA_OK) return 0;
  return static_cast<uint64_t>(lua_tointeger(lua, -1));
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  lua_State* lua = luaL_newstate();
  if (!lua) return 0;
  uint64_t result = call_script(lua, rounds);
  lua_close(lua);
  return result;
}
SANDGLASS_EXPORT(run)
