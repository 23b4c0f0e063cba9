// What all arenas of one JavaScript environment share: the scratch through which numbers travel, and the list of the
// arenas, by number and by key.
#pragma once

#include <node_api.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace forelock::bind {

class Binding;

inline constexpr int kScratchSize = 120;  // words of 32 bits
inline constexpr int kTimes = 16;         // doubles

class Environment {
 public:
  // The environment of a call; made at the first use. nullptr when the scratch cannot be made: an exception is pending.
  static Environment* of(napi_env env);

  // The same for those who call all the time, without a call for the environment that came first, which is nearly always the main
  // thread's. nullptr before the first of().
  static Environment* known(napi_env env) { return env == first_env_.load(std::memory_order_acquire) ? first_ : look_up(env); }

  // Any thread may write to these meanwhile: each word is read once, and then it is what was checked.
  volatile std::uint32_t* scratch() const { return scratch_; }
  volatile double* times() const { return times_; }
  napi_value scratch_array() const { return value(scratch_ref_); }
  napi_value times_array() const { return value(times_ref_); }

  // Through which the records of queues travel; made when first asked for, untouched pages of it cost nothing.
  static constexpr std::uint32_t kBytes = 1 << 20;
  unsigned char* bytes() const { return bytes_; }
  napi_value bytes_array();

  // An array of so many numbers, as the times are; `at` is told where they lie, for as long as the array is referenced.
  napi_value doubles(int length, volatile double** at);

  // Numbers are not used again, so that one left over in JavaScript means nothing else.
  std::uint32_t add(const std::string& key, Binding* binding);
  void remove(const std::string& key, std::uint32_t number);
  Binding* find(const std::string& key) const;
  Binding* at(std::uint32_t number) const { return number < by_number_.size() ? by_number_[number] : nullptr; }

 private:
  explicit Environment(napi_env env) : env_(env) {}
  ~Environment();
  static Environment* look_up(napi_env env);
  bool make_scratch();
  napi_value shared(std::int32_t bytes);
  napi_value view(napi_value buffer, const char* type, napi_typedarray_type wanted, int from, int length, void** at);
  napi_value value(napi_ref reference) const;

  // (e1) written once, before and after the environment of that address is in use; its own thread alone finds itself here.
  static std::atomic<napi_env> first_env_;
  static Environment* first_;

  const napi_env env_;
  volatile std::uint32_t* scratch_ = nullptr;
  volatile double* times_ = nullptr;
  napi_ref scratch_ref_ = nullptr;
  napi_ref times_ref_ = nullptr;
  unsigned char* bytes_ = nullptr;
  napi_ref bytes_ref_ = nullptr;
  std::map<std::string, Binding*> by_key_;
  std::vector<Binding*> by_number_;
};

}  // namespace forelock::bind
