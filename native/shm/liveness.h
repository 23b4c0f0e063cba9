// Who is alive, as the kernel tells it: each environment holds a byte lock on the arena's file, at an offset far past its
// end. The lock belongs to the open file description (F_OFD_SETLK), so it goes when the process dies, in whatever way,
// needs no common view of pids, and is not lost when some other part of the process closes the same file.
#pragma once

#include <fcntl.h>

#include <cstdint>

#include "core/participants.h"
#include "shm/process.h"

namespace forelock::shm {

inline constexpr off_t kLockBase = off_t{1} << 40;

inline struct flock byte_lock(short type, core::ParticipantId id) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = kLockBase + static_cast<off_t>(id);
  lock.l_len = 1;
  return lock;
}

// Takes the byte of this place; false when somebody has it.
inline bool take_byte(int descriptor, core::ParticipantId id) {
  struct flock lock = byte_lock(F_WRLCK, id);
  return fcntl(descriptor, F_OFD_SETLK, &lock) == 0;
}

inline void give_byte(int descriptor, core::ParticipantId id) {
  struct flock lock = byte_lock(F_UNLCK, id);
  fcntl(descriptor, F_OFD_SETLK, &lock);
}

inline bool byte_is_taken(int descriptor, core::ParticipantId id) {
  struct flock lock = byte_lock(F_WRLCK, id);
  if (fcntl(descriptor, F_OFD_GETLK, &lock) != 0) return true;  // when the kernel will not say, nobody is declared dead
  return lock.l_type != F_UNLCK;
}

// Marks the participant dead if it is. A free byte alone is not enough where its process can be seen: closing every
// descriptor of a process (closefrom) frees the byte of the living.
inline bool probe(core::Arena& arena, int descriptor, core::ParticipantId id) {
  core::Participant& place = arena.participant(id);
  const std::uint64_t seen = place.life.load(std::memory_order_acquire);
  const core::Life life = core::LifeWord::of(seen).life;
  if (life == core::Life::kDead) return true;
  if (life == core::Life::kFree || byte_is_taken(descriptor, id)) return false;
  const ProcessId process{place.pid.peek(), place.pid_start.peek(), place.pid_namespace.peek()};
  static const std::uint64_t ours = this_process().pid_namespace;
  const bool visible = process.pid != 0 && process.start != 0 && process.pid_namespace == ours;
  if (life == core::Life::kAlive && visible && !is_gone(process)) return false;
  return core::mark_dead(arena, id, seen);
}

}  // namespace forelock::shm
