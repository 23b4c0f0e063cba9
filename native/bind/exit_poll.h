// Tells, on the event loop of an environment, that a process has ended: before libuv reaps it, because libuv looks at signals, and so at
// children, after all else that a turn of its loop has found.
#pragma once

#include <node_api.h>
#include <uv.h>

namespace forelock::bind {

class ExitPoll {
 public:
  // Whom it tells, once, or is closed before that. It is gone afterwards.
  class Listener {
   public:
    virtual void process_ended() = 0;
    virtual void poll_gone() = 0;

   protected:
    ~Listener() = default;
  };

  // nullptr: it cannot be had. Keeps no event loop alive. `process` is not its own, and must be open until close().
  static ExitPoll* start(napi_env env, int process, Listener& listener);
  // Nothing more is told.
  void close();

 private:
  explicit ExitPoll(Listener& listener) : listener_(&listener) {}
  static void readable(uv_poll_t* handle, int status, int events);
  static void closed(uv_handle_t* handle);
  static void end_of_environment(napi_async_cleanup_hook_handle, void* data);
  void end();

  uv_poll_t handle_{};
  napi_async_cleanup_hook_handle hook_ = nullptr;
  Listener* listener_;
  bool closing_ = false;
};

}  // namespace forelock::bind
