// Between JavaScript values and plain C++. Every status is looked at; a failed call leaves its exception pending and the
// caller returns.
#pragma once

#include <node_api.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace forelock::bind {

// True when the call worked. In an environment that is being torn down every call may fail; nothing is thrown for it.
inline bool ok(napi_status status) { return status == napi_ok; }

inline napi_value integer(napi_env env, std::int32_t value) {
  napi_value out = nullptr;
  napi_create_int32(env, value, &out);
  return out;
}

inline napi_value number(napi_env env, double value) {
  napi_value out = nullptr;
  napi_create_double(env, value, &out);
  return out;
}

inline napi_value boolean(napi_env env, bool value) {
  napi_value out = nullptr;
  napi_get_boolean(env, value, &out);
  return out;
}

inline napi_value text(napi_env env, const std::string& value) {
  napi_value out = nullptr;
  napi_create_string_utf8(env, value.data(), value.size(), &out);
  return out;
}

inline napi_value text(napi_env env, const std::u16string& value) {
  napi_value out = nullptr;
  napi_create_string_utf16(env, value.data(), value.size(), &out);
  return out;
}

inline napi_value big(napi_env env, std::uint64_t value) {
  napi_value out = nullptr;
  napi_create_bigint_uint64(env, value, &out);
  return out;
}

inline void set(napi_env env, napi_value object, const char* name, napi_value value) {
  if (object != nullptr && value != nullptr) napi_set_named_property(env, object, name, value);
}

inline napi_value object(napi_env env) {
  napi_value out = nullptr;
  napi_create_object(env, &out);
  return out;
}

inline napi_value array(napi_env env) {
  napi_value out = nullptr;
  napi_create_array(env, &out);
  return out;
}

inline bool is(napi_env env, napi_value value, napi_valuetype wanted) {
  napi_valuetype type;
  return value != nullptr && ok(napi_typeof(env, value, &type)) && type == wanted;
}

inline void throw_type(napi_env env, const char* message) { napi_throw_type_error(env, "ERR_FORELOCK_ARGUMENT", message); }

// A string, or nothing when the value is not one (or an exception is pending).
std::optional<std::string> utf8(napi_env env, napi_value value);

// An integer of the scratch, or of an option: within [0, max] and whole.
inline std::optional<std::uint32_t> whole(double value, std::uint32_t max) {
  if (!(value >= 0 && value <= static_cast<double>(max))) return std::nullopt;
  const auto out = static_cast<std::uint32_t>(value);  // and back: without SSE4.1 std::floor is a call
  if (static_cast<double>(out) != value) return std::nullopt;
  return out;
}

}  // namespace forelock::bind
