// What a request would meet, without making it: who holds an element, who waits there and in which order they stand, and, of a bucket,
// when its tokens will be there. Nothing here writes to the arena, not even the marks that a search or a visit leaves on its way.
//
// Others go on meanwhile. What is read is believed when two readings in a row are the same, word by word (the double collect of
// Afek, Attiya, Dolev, Gafni, Merritt, Shavit: Atomic snapshots of shared memory, 1993); after a few attempts the last one is taken, and
// says that it is not of one moment. A list that leads nowhere, or never ends, is Corrupt.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/bucket.h"
#include "core/pool.h"
#include "core/table.h"

namespace forelock::core {

// One that holds or waits.
struct ShadowParty {
  ParticipantId participant = 0;  // 0: nobody any more
  std::uint32_t incarnation = 0;
  std::uint32_t tier = 0;
  bool shared = false;
  bool steal = false;
  bool revocable = false;
  bool recalled = false;
  bool since_is_exact = true;  // of a holder; else it was granted at `since` or later
  Nanos since = 0;             // a holder: of its grant; a waiter: of its arrival
  Nanos until = 0;             // a holder: the end of its ttl; a waiter: of its wait; 0 none
  std::uint32_t ttl_ms = 0;    // of a waiter: how long it may hold, 0 no limit
  std::uint32_t hold_ms = 0;   // how long it will hold, as it says itself; 0 unknown
  std::uint32_t workflow = 0;  // ids of names
  std::uint32_t tenant = 0;
  Amounts amounts{};
  double tokens = 0;
};

struct ShadowView {
  Handle handle{};
  bool consistent = false;  // all of it is of one moment
  std::vector<ShadowParty> holders;
  std::array<std::vector<ShadowParty>, kTiers> waiters;  // each in its order
};

// The element of a name, if there is one.
bool find_element(const Arena& arena, Kind kind, const char16_t* name, std::size_t length, Handle& out);

// Those at a lock, a bucket or a pool. False: it is no more what was found.
bool look(const Arena& arena, Kind kind, Handle handle, Nanos now, ShadowView& out);

// The order in which all of them would be served, where nothing but their order decides: tier and place in it. `ageing` in ns, 0 none.
struct Standing {
  std::uint32_t tier;
  std::uint32_t place;
};
std::vector<Standing> order_of(const ShadowView& view, std::uint64_t ageing);

struct ShadowTokens {
  bool possible = false;
  Nanos ready = 0;              // when the request would be granted
  std::uint64_t remaining = 0;  // whole tokens now, of this bucket alone
  struct Served {
    Standing who;
    bool ahead;
    Nanos without, with;  // when it is granted, without the request and with it; 0: not before its wait ends
  };
  std::vector<Served> waiters;  // in their order
};

// A request for tokens that would come at a time from now on, behind those of its tier who wait now. What others do at the buckets above is
// not foreseen.
ShadowTokens foresee_tokens(Arena& arena, const ShadowView& view, double tokens, std::uint32_t tier, Who who, Nanos now, Nanos comes = 0);

}  // namespace forelock::core
