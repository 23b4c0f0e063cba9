#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "napi.h"

namespace floors {

// The shortest way from one thread or process to the JavaScript of another: futex wake, futex wait in a thread of its
// own, thread-safe function. Nothing that hands a lock over through the kernel can be faster.
class Listener {
 public:
  Listener(std::atomic<std::uint32_t>* word, napi_threadsafe_function wake);
  ~Listener();

 private:
  void run(std::uint32_t seen);

  std::atomic<std::uint32_t>* word_;
  napi_threadsafe_function wake_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

napi_value listen(napi_env env, napi_callback_info info);
napi_value stop_listening(napi_env env, napi_callback_info info);
napi_value ring(napi_env env, napi_callback_info info);

}  // namespace floors
