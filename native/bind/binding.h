// An arena as one environment sees it: the object with functions that open() gives. The functions take no arguments and
// need no receiver: each carries its Binding as data, or finds it by a number in the scratch, so none can be called on something
// else; numbers travel through a scratch of words and one of times (lib/native/binding.ts says which stands where).
#pragma once

#include <node_api.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bind/environment.h"
#include "bind/wanted.h"
#include "core/keyed.h"
#include "core/lane_reader.h"
#include "shm/attachment.h"

namespace forelock::bind {

class Binding {
 public:
  // Makes the JavaScript object; nullptr with an exception pending when that fails. `key` tells arenas apart in this
  // environment, `handle` is that of a private arena, or empty.
  static Binding* make(napi_env env, std::unique_ptr<shm::Region> region, std::string key, std::string name, std::string handle,
                       napi_value on_wake);

  napi_value js() const;
  void add_user() { users_++; }
  const std::string& key() const { return key_; }

  // Leaves the arena: the last close(), or the end of the environment. The object stays and answers Closed.
  void shut();

 private:
  using Operation = std::int32_t (Binding::*)();
  struct Function;

  Binding(napi_env env, Environment& environment)
      : env_(env), environment_(environment), scratch_(environment.scratch()), times_(environment.times()) {}
  ~Binding() = default;
  bool define(napi_value object);
  bool define_buckets(napi_value object);
  bool define_pools(napi_value object);
  bool define_plans(napi_value object);
  bool define_telemetry(napi_value object);
  bool add(napi_value object, const char* name, napi_callback callback);
  template <Operation operation>
  inline std::int32_t run();
  template <Operation operation>
  static napi_value hot_call(napi_env env, napi_callback_info info);
  template <Operation operation>
  static napi_value call(napi_env env, napi_callback_info info);
  static Binding* self(napi_env env, napi_callback_info info, std::size_t* count = nullptr, napi_value* values = nullptr);
  static Binding* usable_self(napi_env env, napi_callback_info info, std::size_t* count = nullptr, napi_value* values = nullptr);
  static void wake(napi_env env, napi_value callback, void* context, void* data);
  void let_go(napi_ref& reference);
  static void end_of_environment(void* data);
  static void forget(napi_env env, void* data, void* hint);

  static napi_value lookup(napi_env env, napi_callback_info info);
  static napi_value drain(napi_env env, napi_callback_info info);
  static napi_value cycle(napi_env env, napi_callback_info info);
  static napi_value now(napi_env env, napi_callback_info info);
  static napi_value wall_clock(napi_env env, napi_callback_info info);
  static napi_value snapshot(napi_env env, napi_callback_info info);
  static napi_value counters(napi_env env, napi_callback_info info);
  core::LaneReader* reader(napi_env env, napi_value id);
  static napi_value observe(napi_env env, napi_callback_info info);
  static napi_value unobserve(napi_env env, napi_callback_info info);
  static napi_value drain_records(napi_env env, napi_callback_info info);
  static napi_value drain_notes(napi_env env, napi_callback_info info);
  static napi_value records_lost(napi_env env, napi_callback_info info);
  static napi_value note(napi_env env, napi_callback_info info);
  static napi_value intern(napi_env env, napi_callback_info info);
  static napi_value name_of(napi_env env, napi_callback_info info);
  static napi_value stats(napi_env env, napi_callback_info info);
  static napi_value element_name(napi_env env, napi_callback_info info);
  static napi_value is_observed(napi_env env, napi_callback_info info);
  static napi_value cpu_counter(napi_env env, napi_callback_info info);
  static napi_value ref(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  // Families of buckets (bind/keyed.cc).
  using KeyedOperation = std::int32_t (Binding::*)(core::Keyed& family, const core::Hash& key);
  bool define_keyed(napi_value object);
  static napi_value keyed_open(napi_env env, napi_callback_info info);
  template <KeyedOperation operation>
  static napi_value keyed_call(napi_env env, napi_callback_info info);
  template <KeyedOperation operation>
  std::int32_t run_keyed(napi_env env, napi_value key);
  std::int32_t open_family(const char16_t* name, std::size_t length);
  std::int32_t change_family(core::Keyed& family, core::Handle handle, const core::Pace& pace);
  std::uint32_t family_number(core::ElementIndex index);
  std::int32_t keyed_take(core::Keyed& family, const core::Hash& key);
  std::int32_t keyed_again();
  std::int32_t take_key(core::Keyed& family, const core::Hash& key);
  std::int32_t keyed_peek(core::Keyed& family, const core::Hash& key);
  std::int32_t keyed_refund(core::Keyed& family, const core::Hash& key);

  std::int32_t try_fast();
  std::int32_t try_lock();
  std::int32_t lock();
  std::int32_t release();
  std::int32_t advance();
  std::int32_t pass();
  std::int32_t abort();
  std::int32_t upgrade();
  std::int32_t check();

  // bind/buckets.cc
  std::int32_t define_bucket();
  std::int32_t bucket_pace();
  std::int32_t change_pace();
  std::int32_t try_take();
  std::int32_t try_take_slowly(std::uint32_t index, std::uint32_t wanted, double tokens, std::uint64_t left);
  std::int32_t take_tokens();
  std::int32_t peek_tokens();
  std::int32_t refund();

  // bind/together.cc
  bool define_together(napi_value object);
  std::int32_t try_admit();
  std::int32_t release_together();
  bool read_wanted();
  inline bool find_part(core::Kind kind, Part& part) const;
  inline core::Answer take_lock(Part& part, std::uint32_t asked, core::Nanos at);
  inline core::Answer take_units(Part& part, std::uint32_t asked, core::Nanos at);
  inline core::Answer take_tokens_of(const Part& part, std::uint32_t asked, core::Tokens& tokens);
  core::Answer take_tokens_slowly(const Part& part, std::uint32_t asked, core::Tokens& tokens);
  inline core::Answer give_back_part(const Part& part);
  std::int32_t refuse_together(std::uint32_t refused, core::Answer why, const core::Tokens& tokens);

  // bind/pools.cc
  static napi_value define_pool(napi_env env, napi_callback_info info);
  static napi_value change_pool(napi_env env, napi_callback_info info);
  static napi_value pool_state(napi_env env, napi_callback_info info);
  static napi_value pool_usage(napi_env env, napi_callback_info info);
  std::int32_t try_allocate();
  std::int32_t allocate();
  std::int32_t shrink();
  std::int32_t recalled();
  bool read_units(core::Request& request);
  inline bool read_amounts(core::Amounts& amounts);

  // bind/plans.cc
  std::int32_t write_plan();
  std::int32_t withdraw_plan();
  std::int32_t sweep_plans();
  static napi_value list_plans(napi_env env, napi_callback_info info);
  static napi_value plan_losses(napi_env env, napi_callback_info info);
  static napi_value reserved(napi_env env, napi_callback_info info);

  // bind/shadow.cc
  bool define_shadow(napi_value object);
  static napi_value find_name(napi_env env, napi_callback_info info);
  static napi_value shadow(napi_env env, napi_callback_info info);

  // What a request at a bucket or a pool has in common: tier, timeout, arrival, who.
  inline bool read_asker(core::Request& request);
  bool read_wait(core::Request& request);
  void read_who(core::Request& request);
  inline std::uint32_t generation_of(core::ElementIndex index) const;

  // Queues: bind/queue.cc
  bool define_queues(napi_value object);
  static napi_value queue_open(napi_env env, napi_callback_info info);
  static napi_value queue_bytes(napi_env env, napi_callback_info info);
  std::int32_t queue_offer();
  std::int32_t queue_poll();
  std::int32_t queue_next();
  std::int32_t queue_ack();
  std::int32_t queue_return();
  std::int32_t queue_take();
  std::int32_t queue_read();
  std::int32_t queue_room();
  std::int32_t queue_fill();
  std::int32_t queue_size();
  bool read_queue(core::QueueId& id);
  bool read_queue_wait(core::Request& request);
  std::int32_t write_item(core::QueueId id, const core::Granted& granted);
  inline void show_item(const core::Granted& granted, const core::Item& item);
  void settle_if_needed();

  bool read_request(core::Request& request);
  // Who asks, for the records of this call.
  inline void read_names(std::uint32_t wanted);
  void read_ending();
  inline std::uint64_t sequence(int at) const;
  inline void write_grant(int at, const core::Granted& granted);
  std::int32_t answer(core::Answer answer, const core::Granted& granted);
  // Hands what was settled to the scratch; what does not fit is announced by another wake.
  void settle();
  void refuse_victims();
  std::int32_t usable();
  core::Nanos deadline_after(double ms);
  // kOk when there is an arena and it may be used.
  std::int32_t ready();
  // The arena is believed no more, by anybody: waits end with that from the loop.
  std::int32_t damage();
  void fail_all(core::Outcome outcome);

  napi_env env_;
  std::unique_ptr<shm::Attachment> attachment_;  // null once closed
  std::string key_, handle_;
  Environment& environment_;
  volatile std::uint32_t* const scratch_;
  volatile double* const times_;
  std::uint32_t number_ = 0;  // in the environment
  napi_ref object_ref_ = nullptr;
  napi_ref on_wake_ref_ = nullptr;
  napi_threadsafe_function wake_ = nullptr;
  std::map<core::WaiterId, std::string> cycles_;
  struct Family {
    core::ElementIndex index;
    std::unique_ptr<core::Keyed> keyed;
  };
  std::vector<Family> families_;                                        // by the number that JavaScript knows them by
  std::map<std::uint32_t, std::unique_ptr<core::LaneReader>> readers_;  // while this environment observes
  std::uint32_t last_reader_ = 0;
  std::unique_ptr<core::NoteRing> notes_;  // from the first note on
  core::EnclosingGrant enclosing_[core::kEnclosingMax];
  core::Request units_;  // of tryAllocate, last
  Wanted wanted_;        // together, last
  std::uint32_t last_wanted_ = 0;
  int users_ = 1;
  int functions_ = 0;  // JavaScript functions that carry this object; the last one's finalizer deletes it
  bool damaged_ = false;
};

}  // namespace forelock::bind
