// The arguments of a call that is not hot, by place.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <new>
#include <span>

#include "bind/args.h"

namespace forelock::bind {

// The arguments of a call. Each is asked for by its place; one that is not what it must be spoils all of them.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    fine_ = ok(napi_get_cb_info(env, info, &count_, values_, nullptr, &data_));
  }

  // What the function was made with.
  template <typename T>
  T& of() const {
    return *static_cast<T*>(data_);
  }

  std::span<double> doubles(std::size_t place) { return view<double>(place, napi_float64_array); }
  std::span<std::uint32_t> words(std::size_t place) { return view<std::uint32_t>(place, napi_uint32_array); }
  std::span<float> floats(std::size_t place) { return view<float>(place, napi_float32_array); }
  std::span<std::uint8_t> bytes(std::size_t place) { return view<std::uint8_t>(place, napi_uint8_array); }

  double number(std::size_t place) {
    double value = 0;
    fine_ = fine_ && place < count_ && ok(napi_get_value_double(env_, values_[place], &value));
    return fine_ ? value : 0;
  }

  std::uint32_t count(std::size_t place, std::uint32_t most) {
    const auto value = whole(number(place), most);
    fine_ = fine_ && value.has_value();
    return value.value_or(0);
  }

  // The first of some values.
  std::span<double> first(std::size_t place, std::size_t length_place) {
    const auto all = doubles(place);
    const double length = number(length_place);
    fine_ = fine_ && length >= 0 && length <= static_cast<double>(all.size());
    return fine_ ? all.first(static_cast<std::size_t>(length)) : std::span<double>();
  }

  void must(bool holds) { fine_ = fine_ && holds; }
  bool fine() const { return fine_; }

 private:
  template <typename T>
  std::span<T> view(std::size_t place, napi_typedarray_type wanted) {
    napi_typedarray_type type = napi_int8_array;
    std::size_t length = 0;
    void* data = nullptr;
    bool is_array = false;
    fine_ = fine_ && place < count_ && ok(napi_is_typedarray(env_, values_[place], &is_array)) && is_array &&
            ok(napi_get_typedarray_info(env_, values_[place], &type, &length, &data, nullptr, nullptr)) && type == wanted;
    if (!fine_ || data == nullptr) return {};
    return {static_cast<T*>(data), length};
  }

  static constexpr std::size_t kMostArguments = 6;
  napi_env env_;
  void* data_ = nullptr;
  std::size_t count_ = kMostArguments;
  napi_value values_[kMostArguments] = {};
  bool fine_ = false;
};

// Does the work where the arguments are what they must be, and throws where they are not, or where there is no memory.
template <typename Work>
napi_value answer(napi_env env, const Arguments& arguments, const char* signature, Work&& work) {
  if (!arguments.fine()) {
    throw_type(env, signature);
    return nullptr;
  }
  try {
    return work();
  } catch (const std::bad_alloc& error) {
    napi_throw_error(env, "ERR_FORELOCK_MEMORY", error.what());
    return nullptr;
  }
}

}  // namespace forelock::bind
