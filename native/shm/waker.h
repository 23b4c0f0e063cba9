// The waker: one thread per environment and arena. It sleeps on the environment's ring word and passes rings on to the
// script thread. While the environment waits for anything it also ticks: it asks the kernel whether those it waits for
// are alive, sweeps the dead, lets ttls end, and looks for deadlocks. It never touches the script thread's bookkeeping,
// only the arena, in which it has a lane of its own.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/deadlock.h"
#include "core/member.h"
#include "shm/region.h"

namespace forelock::shm {

// A wait of ours that a cycle of waits refuses.
struct Victim {
  core::SlotId slot;
  std::uint32_t generation;
  std::string cycle;
};

class Waker {
 public:
  // `signal` asks the script thread to look; it may be called from this thread at any time until stop() returns.
  Waker(core::Arena& arena, const Region& region, core::ParticipantId participant, std::function<void()> signal);
  ~Waker() { stop(); }

  void start();
  void stop();
  bool running() const { return thread_.joinable(); }

  // From the script thread, after its operations: how much waits, and until when it can sleep.
  void publish(std::uint32_t waiting, core::Nanos next_deadline);
  // The script thread is about to look: the next ring is worth a signal again.
  void acknowledge() { signalled_.store(false, std::memory_order_seq_cst); }
  void visit_later(std::vector<core::ElementIndex> elements);
  // From now on the deaths of those who use this queue are looked for while we tick.
  void watch_queue(core::ElementIndex items);
  // Somebody looked in vain for what the dead may have in hand: ticks for a while as if they waited.
  void look_around();
  // Asks, soon, whether those who observe are alive, and sweeps the dead.
  void look_for_observers();
  std::vector<Victim> take_victims();
  bool take_inherit() { return inherit_.exchange(false); }
  bool is_retired() const { return retired_.load(std::memory_order_acquire); }
  bool is_corrupt() const { return corrupt_.load(std::memory_order_acquire); }

 private:
  void run();
  void work();
  void tick();
  void look_at_waits();
  void look_at_tokens(core::ElementIndex index);
  bool look_at_wait(core::SlotId id, core::Slot& slot);
  void look_for_stuck(core::SlotId id, const core::Slot& slot, const core::Element& element);
  void claim_from_sleeper(core::ElementIndex index, const core::Element& element);
  void look_for_phantom(core::ElementIndex index, std::uint64_t gate);
  void suspect_users();
  void probe_others();
  void probe_observers();
  void sweep_the_dead();
  void look_at_own_wakes();
  void look_for_deadlock(core::SlotId id, const core::Slot& slot);
  bool wants_a_higher_tier(const core::Slot& slot) const;
  void refresh_wall_clock();
  void signal();
  void sleep();
  core::Nanos sleep_for(core::Nanos now) const;

  core::Arena& arena_;
  const Region& region_;
  const core::ParticipantId participant_;
  core::Lane lane_;
  const std::uint64_t life_;  // our place, alive, in this incarnation
  const std::function<void()> signal_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> signalled_{false};
  std::atomic<bool> idle_{true};
  std::atomic<bool> retired_{false};
  std::atomic<bool> corrupt_{false};
  std::atomic<bool> inherit_{false};
  std::atomic<bool> looks_around_{false};
  std::atomic<bool> observers_{false};
  std::atomic<std::uint32_t> waiting_{0};
  std::atomic<core::Nanos> next_deadline_{0};
  std::atomic<core::Nanos> planned_{0};
  std::mutex mutex_;  // of the lists below, between our two threads; never held while a gate is
  std::vector<core::ElementIndex> leftovers_;
  std::vector<Victim> victims_;
  std::vector<core::ElementIndex> queues_;

  core::Nanos last_tick_ = 0;
  core::Nanos last_waiting_ = 0;
  core::Nanos next_ttl_ = 0;
  std::uint32_t cursor_ = 0;
  std::uint32_t user_cursor_ = 0;
  std::uint32_t quiet_ring_ = 0;
  int unrung_ticks_ = 0;
  struct Stuck {
    core::SlotId slot;
    std::uint64_t fast;
    std::uint64_t state;
    int ticks;
    bool same(const Stuck& other) const { return slot == other.slot && fast == other.fast && state == other.state; }
  };
  std::vector<Stuck> stuck_, stuck_before_;
  std::vector<core::ParticipantId> suspects_;
  struct Phantom {
    core::ElementIndex element = 0;
    std::uint64_t gate = 0;
    int ticks = 0;
    core::Nanos seen = 0;
  } phantom_;
};

// Tells all participants that the arena is damaged: somebody who stopped in the middle may still stand in a gate.
void report_damage(core::Arena& arena);

// Asks the kernel about every participant and sweeps the dead; for a newcomer, which has nobody to wait for yet.
void probe_everybody(core::Lane& lane, const Region& region);

}  // namespace forelock::shm
