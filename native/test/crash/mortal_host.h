// The host of a process that may be killed wherever the core calls out. A SIGKILL from outside mostly meets a process that sleeps: a gate
// is held for less than a microsecond.
#pragma once

#include <signal.h>

#include <random>

#include "core/arena.h"
#include "shm/clock.h"
#include "shm/futex.h"

namespace forelock::test {

class MortalHost : public core::Host {
 public:
  // From now on one call in so many is the last.
  void may_die(std::mt19937* lot, unsigned one_in) {
    lot_ = lot;
    one_in_ = one_in;
  }

  bool back(std::size_t, std::size_t) override { return true; }
  void wake(core::ParticipantId who) override {
    perhaps_die();  // a ring that its sleeper never hears
    shm::futex_wake(&arena->participant(who).ring);
  }
  core::Nanos now() override {
    perhaps_die();  // asked for inside gates
    return shm::monotonic_now();
  }
  core::Nanos coarse_now() override { return shm::monotonic_coarse(); }

  core::Arena* arena = nullptr;
  const std::atomic<bool>* immortal_until = nullptr;  // nullptr: mortal from the beginning

 private:
  void perhaps_die() {
    if (lot_ == nullptr || (immortal_until != nullptr && !*immortal_until)) return;
    if ((*lot_)() % one_in_ == 0) raise(SIGKILL);
  }

  std::mt19937* lot_ = nullptr;
  unsigned one_in_ = 1;
};

}  // namespace forelock::test
