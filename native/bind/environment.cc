#include "bind/environment.h"

#include <mutex>

#include "bind/args.h"

namespace forelock::bind {

std::atomic<napi_env> Environment::first_env_{nullptr};
Environment* Environment::first_ = nullptr;

Environment* Environment::look_up(napi_env env) {
  void* data = nullptr;
  return ok(napi_get_instance_data(env, &data)) ? static_cast<Environment*>(data) : nullptr;
}

Environment* Environment::of(napi_env env) {
  if (Environment* known = look_up(env)) return known;
  auto* made = new Environment(env);
  const auto discard = [](napi_env, void* environment, void*) { delete static_cast<Environment*>(environment); };
  if (!made->make_scratch() || !ok(napi_set_instance_data(env, made, discard, nullptr))) {
    delete made;
    return nullptr;
  }
  static std::once_flag once;
  std::call_once(once, [made, env] {
    first_ = made;
    first_env_.store(env, std::memory_order_release);  // (e1)
  });
  return made;
}

Environment::~Environment() {
  if (first_env_.load(std::memory_order_relaxed) == env_) first_env_.store(nullptr, std::memory_order_release);  // (e1)
}

// A SharedArrayBuffer: no script can detach it under us, as it could an ArrayBuffer. Node-API has no call to make one.
napi_value Environment::shared(std::int32_t bytes) {
  napi_value global, constructor, size, buffer;
  if (!ok(napi_get_global(env_, &global)) || !ok(napi_get_named_property(env_, global, "SharedArrayBuffer", &constructor)) ||
      !ok(napi_create_int32(env_, bytes, &size)) || !ok(napi_new_instance(env_, constructor, 1, &size, &buffer))) {
    return nullptr;
  }
  return buffer;
}

napi_value Environment::bytes_array() {
  if (bytes_ref_ != nullptr) return value(bytes_ref_);
  constexpr auto kLength = static_cast<std::int32_t>(kBytes);
  napi_value buffer = shared(kLength);
  void* at = nullptr;
  napi_value array = buffer == nullptr ? nullptr : view(buffer, "Uint8Array", napi_uint8_array, 0, kLength, &at);
  if (array == nullptr || !ok(napi_create_reference(env_, array, 1, &bytes_ref_))) return nullptr;
  bytes_ = static_cast<unsigned char*>(at);
  return array;
}

napi_value Environment::doubles(int length, volatile double** at) {
  napi_value buffer = shared(length * static_cast<std::int32_t>(sizeof(double)));
  void* found = nullptr;
  napi_value array = buffer == nullptr ? nullptr : view(buffer, "Float64Array", napi_float64_array, 0, length, &found);
  if (array != nullptr) *at = static_cast<volatile double*>(found);
  return array;
}

bool Environment::make_scratch() {
  constexpr int kTimesBytes = kTimes * static_cast<int>(sizeof(double));
  constexpr int kLength = kTimesBytes + kScratchSize * static_cast<int>(sizeof(std::uint32_t));
  napi_value buffer = shared(kLength);
  if (buffer == nullptr) return false;
  void* times = nullptr;
  void* words = nullptr;
  napi_value times_array = view(buffer, "Float64Array", napi_float64_array, 0, kTimes, &times);
  napi_value words_array = view(buffer, "Int32Array", napi_int32_array, kTimesBytes, kScratchSize, &words);
  if (times_array == nullptr || words_array == nullptr || !ok(napi_create_reference(env_, times_array, 1, &times_ref_)) ||
      !ok(napi_create_reference(env_, words_array, 1, &scratch_ref_))) {
    return false;
  }
  times_ = static_cast<volatile double*>(times);
  scratch_ = static_cast<volatile std::uint32_t*>(words);
  return true;
}

// One typed array on the buffer; nullptr when that fails. `at` is told where its elements lie.
napi_value Environment::view(napi_value buffer, const char* type, napi_typedarray_type wanted, int from, int length, void** at) {
  napi_value global, constructor, arguments[3], array;
  arguments[0] = buffer;
  napi_typedarray_type found;
  std::size_t found_length = 0;
  const bool made = ok(napi_get_global(env_, &global)) && ok(napi_get_named_property(env_, global, type, &constructor)) &&
                    ok(napi_create_int32(env_, from, &arguments[1])) && ok(napi_create_int32(env_, length, &arguments[2])) &&
                    ok(napi_new_instance(env_, constructor, 3, arguments, &array)) &&
                    ok(napi_get_typedarray_info(env_, array, &found, &found_length, at, nullptr, nullptr));
  return made && found == wanted && found_length == static_cast<std::size_t>(length) && *at != nullptr ? array : nullptr;
}

napi_value Environment::value(napi_ref reference) const {
  napi_value out = nullptr;
  napi_get_reference_value(env_, reference, &out);
  return out;
}

std::uint32_t Environment::add(const std::string& key, Binding* binding) {
  by_key_[key] = binding;
  by_number_.push_back(binding);
  return static_cast<std::uint32_t>(by_number_.size() - 1);
}

void Environment::remove(const std::string& key, std::uint32_t number) {
  by_key_.erase(key);
  by_number_[number] = nullptr;
}

Binding* Environment::find(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

}  // namespace forelock::bind
