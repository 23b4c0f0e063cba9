// The few shapes of Node-API calls that the floors need.
#pragma once

#include <node_api.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace floors {

// One environment's state: two of them (main thread and worker) may load this addon.
struct State;

inline napi_value fail(napi_env env, const char* what) {
  napi_throw_error(env, nullptr, what);
  return nullptr;
}

inline napi_value fail_errno(napi_env env, const std::string& what) { return fail(env, (what + ": " + std::strerror(errno)).c_str()); }

template <std::size_t N>
State* arguments(napi_env env, napi_callback_info info, napi_value (&values)[N]) {
  std::size_t count = N;
  void* state = nullptr;
  napi_get_cb_info(env, info, &count, values, nullptr, &state);
  return static_cast<State*>(state);
}

inline State* state_of(napi_env env, napi_callback_info info) {
  void* state = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &state);
  return static_cast<State*>(state);
}

inline bool to_string(napi_env env, napi_value value, std::string* text) {
  std::size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
  text->resize(length);
  return napi_get_value_string_utf8(env, value, text->data(), length + 1, &length) == napi_ok;
}

}  // namespace floors
