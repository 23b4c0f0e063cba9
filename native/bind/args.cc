#include "bind/args.h"

namespace forelock::bind {

std::optional<std::string> utf8(napi_env env, napi_value value) {
  constexpr std::size_t kLongest = 1 << 16;  // names of arenas, folders, handles, tiers
  std::size_t length;
  if (!is(env, value, napi_string) || !ok(napi_get_value_string_utf8(env, value, nullptr, 0, &length)) || length > kLongest)
    return std::nullopt;
  std::string out(length, '\0');
  if (!ok(napi_get_value_string_utf8(env, value, out.data(), length + 1, &length))) return std::nullopt;
  out.resize(length);
  return out;
}

}  // namespace forelock::bind
