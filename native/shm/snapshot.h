// A look at who holds and who waits, without touching anything. Consistent per name (read again until nothing moved, or
// three times); across names it is not one instant.
#pragma once

#include <string>
#include <vector>

#include "core/table.h"

namespace forelock::shm {

struct PartyView {
  core::ParticipantId participant = 0;
  std::string client;
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  std::uint64_t pid_namespace = 0;
  std::uint32_t tier = 0;
  bool shared = false;
  bool ready = false;
  bool alive = false;
  double age_ms = 0;
  std::uint64_t token = 0;
};

struct ElementView {
  std::u16string name;
  core::Kind kind = core::Kind::kLock;
  std::vector<PartyView> holders;
  std::vector<PartyView> waiters;  // in the order in which they would be served now
};

// Every element with a holder or a waiter, or of one name if given (without end: nullptr).
std::vector<ElementView> snapshot(const core::Arena& arena, core::Nanos now, const std::u16string* name);

}  // namespace forelock::shm
