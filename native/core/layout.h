// What lies where in an arena: a header page, then one section per table, each on a page boundary. Offsets and indices
// only: no pointer and no pthread type, so that every build of the addon (glibc, musl) shares the same segment.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/atomic.h"
#include "core/histogram.h"
#include "core/units.h"
#include "core/word.h"

namespace forelock::core {

inline constexpr std::uint64_t kMagic = 0x4b434f4c45524f46ull;  // "FORELOCK" in memory
inline constexpr std::uint32_t kFormat = 1;                     // changes with the major version only
inline constexpr std::size_t kPage = 4096;
inline constexpr std::size_t kHeapStart = 64;      // of the first record in the heap: 0 is none
inline constexpr std::size_t kExtent = 1 << 20;    // memory is backed in pieces of this size; one page of bits covers 32 GiB
inline constexpr std::uint32_t kChunkSlots = 128;  // 8 KiB: small enough for thousands of participants, rare enough to claim
inline constexpr std::uint32_t kNameInline = 40;   // bytes of a name kept in the element itself
inline constexpr std::uint32_t kNameMaxUnits = 4096;
inline constexpr std::uint32_t kTierNameBytes = 32;
inline constexpr std::uint32_t kRecordBytes = 64;     // of telemetry
inline constexpr std::uint32_t kNotesPerRecord = 16;  // bytes of the lane for variable records, for each of the fixed ones
inline constexpr std::uint32_t kStatRows = 4096;      // so many elements have statistics of their own
inline constexpr std::uint32_t kEnclosingPerExtension = 4;
inline constexpr std::uint32_t kEnclosingMax = 13;

struct Capacity {
  std::uint32_t elements = 65536;
  std::uint32_t slots = 131072;
  std::uint32_t participants = 512;
  std::uint32_t texts = 16384;  // blocks of 52 bytes for names longer than kNameInline
  std::uint32_t heap = 0;       // pages for the records of buckets, pools and queues, and for keyed buckets
  std::uint32_t telemetry = 0;  // records a participant's lane holds, a power of two; 0: none are kept
  std::uint32_t rows = 0;       // elements with statistics of their own (core/stats.h)
};

// One named thing. 128 bytes, two cache lines: the words of the fast path in the first.
struct alignas(64) Element {
  atomic<std::uint64_t> fast;
  atomic<std::uint64_t> gate;
  atomic<std::uint64_t> meta;
  atomic<std::uint64_t> base;           // of a lock: token = base + sequence; else the offset of its record in the heap, 0 none yet
  atomic<std::uint32_t> heads[kTiers];  // waiting slots per tier, first first: the truth (tails are caches)
  atomic<std::uint32_t> holders;        // shared holders
  atomic<std::uint32_t> ttl;            // ms since the arena's epoch, 0 none: of the owner, or the earliest of the sharers
  atomic<std::uint32_t> since;          // {tier:2, time:30 in 4 ms since the epoch} of the last exclusive grant
  atomic<std::uint32_t> maker;          // Maker word while it is being made, else 0
  plain<std::uint64_t> hash[2];
  atomic<std::uint64_t> link;  // chain of the element table
  plain<std::uint64_t> name[kNameInline / 8];
};
static_assert(sizeof(Element) == 128 && alignof(Element) == 64);

// One request that waits, or one shared grant. In a chunk of its owner; only the owner makes it non-free.
struct alignas(64) Slot {
  atomic<std::uint64_t> state;
  atomic<std::uint32_t> link;  // inbox chain until drained, then wake-list chain
  atomic<std::uint32_t> next;  // tier list or holder list: the truth
  plain<std::uint32_t> prev;   // cache of the other direction, rebuilt on takeover
  plain<std::uint32_t> tail;   // cache, in the first slot of a tier list: its last
  plain<std::uint32_t> element;
  plain<std::uint32_t> element_generation;
  plain<std::uint64_t> arrival;
  plain<std::uint64_t> deadline;   // of the wait; of a shared grant its ttl's end; 0 none; of a pool's grant: when it was made
  plain<std::uint32_t> flags;      // SlotFlag bits and the tier
  plain<std::uint32_t> ttl;        // ms asked for
  plain<std::uint32_t> enclosing;  // first extension slot, 0 none
  atomic<std::uint32_t> wish;      // Wish bits: what the owner wants of the gate holder, and the wake-list mark
};
static_assert(sizeof(Slot) == 64);

struct SlotFlag {
  static constexpr std::uint32_t kTierMask = 3;
  static constexpr std::uint32_t kShared = 1u << 2;
  static constexpr std::uint32_t kSteal = 1u << 3;
  static constexpr std::uint32_t kOwnerDied = 1u << 4;
  static constexpr std::uint32_t kByArrival = 1u << 5;  // it keeps an earlier arrival: goes where that puts it
  static constexpr std::uint32_t kTokens = 1u << 6;     // of a bucket: `enclosing` is a Wants
  static constexpr std::uint32_t kUnits = 1u << 7;      // of a pool, shared: the same, and `element_generation` is its row there
  static constexpr std::uint32_t kRevocable = 1u << 8;  // a share plan may ask for it back
  static constexpr std::uint32_t kRefused = 1u << 9;    // it can never be granted: what is ready is that answer
  static constexpr std::uint32_t kHeldBack = 1u << 10;  // the gate holder's: only a plan kept it waiting
  static constexpr std::uint32_t kHoldMost = 0xffff;
  static constexpr int kHoldShift = 16;  // how long it will hold, in ms as its owner says: 16 bits, 0 unknown
  static constexpr std::uint32_t kHasWants = kTokens | kUnits;
};

struct Wish {
  static constexpr std::uint32_t kTierMask = 3;
  static constexpr std::uint32_t kTier = 1u << 2;       // the tier above is wanted
  static constexpr std::uint32_t kInWake = 1u << 3;     // has been on its owner's wake list: ring, but do not link it twice
  static constexpr std::uint32_t kRecount = 1u << 4;    // its amounts shrank: sums of them are to be made anew
  static constexpr std::uint32_t kRecalled = 1u << 5;   // the gate holder's: it is asked for
  static constexpr std::uint32_t kShrinking = 1u << 6;  // its owner is about to write its amounts; nobody else takes this off
  static constexpr std::uint32_t kAnew = 1u << 7;       // somebody died over its end: whether it is on the wake list is not known
};

// The grants whose callbacks enclose a waiting request, in a slot of the same owner.
struct alignas(64) Extension {
  atomic<std::uint64_t> state;
  plain<std::uint32_t> next;
  plain<std::uint32_t> count;
  struct Entry {
    plain<std::uint32_t> element;
    plain<std::uint32_t> sequence;  // low half
    plain<std::uint32_t> slot;      // of a shared grant, 0 exclusive
  } entries[kEnclosingPerExtension];
};
static_assert(sizeof(Extension) == sizeof(Slot));

// What a request at a bucket or a pool is for; in a slot of the same chunk.
inline constexpr int kDimensions = 6;
struct alignas(64) Wants {
  atomic<std::uint64_t> state;
  plain<std::uint32_t> tenant;                // id of a name, 0 none
  plain<std::uint32_t> workflow;              // the same
  plain<std::uint64_t> amounts[kDimensions];  // of a bucket: the first, a double's bits
};
static_assert(sizeof(Wants) == sizeof(Slot));

struct alignas(64) Participant {
  atomic<std::uint64_t> life;
  atomic<std::uint64_t> hint[2];  // per lane
  atomic<std::uint32_t> ring;     // {count:31, sleeping:1}: the futex its waker sleeps on
  atomic<std::uint32_t> notice;   // Notice bits
  atomic<std::uint32_t> wake;     // first slot of the wake list, 0 none
  plain<std::uint32_t> pid;
  plain<std::uint32_t> tid;
  atomic<std::uint32_t> observes;  // 1: this participant reads telemetry (core/observers.h)
  plain<std::uint64_t> pid_start;  // clock ticks since boot, field 22 of /proc/PID/stat
  plain<std::uint64_t> pid_namespace;
  plain<std::uint64_t> joined;
  atomic<std::uint64_t> next_event;  // virtual clock: when this participant's next deadline falls, 0 none
};
static_assert(sizeof(Participant) == 128);

struct Notice {
  static constexpr std::uint32_t kRescan = 1;    // a grant may be ready that is not on the wake list
  static constexpr std::uint32_t kRevoked = 2;   // a grant of this participant was taken from it
  static constexpr std::uint32_t kRecalled = 4;  // a grant of this participant is asked for
};

// A piece of a long name. It is in use exactly while the element it names is of that generation and not free.
struct alignas(64) Text {
  static constexpr std::uint32_t kBytes = 48;
  atomic<std::uint64_t> owner;  // {element + 1:32, generation:32}
  plain<std::uint32_t> next;    // index + 1
  plain<std::uint32_t> unused;
  plain<std::uint64_t> bytes[kBytes / 8];
};
static_assert(sizeof(Text) == 64);

enum class Counter : std::uint32_t {
  kTakeovers,      // gates taken over from the dead
  kRescans,        // wake lists found incomplete and rescanned
  kProbeHandoffs,  // grants found by probing that no ring had announced
  kSweeps,         // participants swept
  kRecycled,       // elements recycled
  kRevocations,    // ttl and steal
  kDeadlocks,
  kNamesLost,    // names there was no room for
  kRecordsLost,  // telemetry there was no memory for
  kLast
};

// How often and how long, of one element in one tier (core/stats.h). Times in ns.
struct alignas(64) StatCell {
  atomic<std::uint64_t> refusals;  // not granted, and not asked to wait
  atomic<std::uint64_t> timeouts;
  atomic<std::uint64_t> aborts;
  atomic<std::uint64_t> deadlocks;
  atomic<std::uint64_t> held;       // in all, since `held_from`
  atomic<std::uint64_t> held_from;  // the observation in which that was counted, by its beginning
  atomic<std::uint64_t> longest_wait, longest_hold;
  atomic<std::uint64_t> waits[kHistogramBuckets];  // of grants: all of them together are the grants
  atomic<std::uint64_t> holds[kHistogramBuckets];
};

struct alignas(32) StatRow {
  atomic<std::uint64_t> key;     // StatKey: whose it is
  atomic<std::uint64_t> weight;  // how much was counted in it
  atomic<std::uint64_t> since;   // when it became that one's
};

struct Header {
  std::uint64_t magic;
  std::uint32_t format;
  std::uint32_t header_bytes;
  std::uint64_t signature;
  std::uint64_t size;
  Capacity capacity;
  std::uint64_t seed[2];  // of the name hash
  std::uint64_t boot_id[2];
  std::uint64_t time_namespace;
  std::uint64_t identity[2];  // random: tells two arenas of one name apart
  std::uint64_t epoch;        // ns on the arena clock when it was made
  std::uint32_t is_virtual;
  std::uint32_t tier_count;
  char tier_names[kTiers][kTierNameBytes];
  std::uint8_t is_private;
  std::uint8_t padding[7];

  atomic<std::uint32_t> retired;       // 1 unlinked, 2 damaged: participants get a typed error
  atomic<std::uint32_t> claim_within;  // ms, 0 off
  atomic<std::uint64_t> observers;     // Observers word: how many participants read telemetry
  atomic<std::uint64_t> ageing;        // ns by which one tier of difference is outlived, 0: never
  atomic<std::uint64_t> virtual_now;
  atomic<std::uint64_t> token_floor;  // no token above it has been given by an element that is gone
  atomic<std::uint32_t> backed_elements;
  atomic<std::uint32_t> backed_chunks;
  atomic<std::uint32_t> element_hand;
  atomic<std::uint32_t> text_hand;
  atomic<std::uint64_t> wall_offset;      // wall clock - arena clock, ns; one word, so a dying writer cannot tear it
  atomic<std::uint64_t> wall_read;        // arena time of that reading
  atomic<std::uint64_t> max_reserve;      // a double's bits: what all plans together may keep from lower tiers, 0 to 1
  atomic<std::uint64_t> plans;            // offset of the table of plans in the heap, 0 none yet
  atomic<std::uint64_t> escalated_until;  // no escalation holds after this time
  atomic<std::uint64_t> heap_used;        // bytes from the start of the heap that have been given away
  atomic<std::uint64_t> observed_from;    // when the present observation began
  atomic<std::uint32_t> stats_on;         // 1: there is memory behind the heads of the statistics
  atomic<std::uint32_t> stats_hand;       // rows that have been given out
  atomic<std::uint32_t> names;            // interned, of all that may be
  atomic<std::uint32_t> name_texts;       // blocks of text these use
  atomic<std::uint64_t> counters[static_cast<int>(Counter::kLast)];
};
static_assert(sizeof(Header) <= kPage);

struct Layout {
  std::size_t participants, chunk_owners, extents, buckets, held, texts, elements, slots, lanes, stats, heap;  // byte offsets
  std::size_t stat_index, stat_rest, stat_cells;
  std::size_t eager;  // bytes from the start that are backed when the arena is made
  std::size_t size;
  std::size_t heap_bytes;
  std::size_t lane_bytes;  // one participant's telemetry, whole pages
  std::size_t held_bytes;  // one participant's bitmap of elements it may hold, whole pages
  std::uint32_t bucket_count;
  std::uint32_t chunk_count;

  static constexpr std::size_t page_up(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

  static constexpr Layout of(const Capacity& c) {
    Layout l{};
    l.bucket_count = 64;
    while (l.bucket_count < c.elements && l.bucket_count < 2 * kMaxElements) l.bucket_count *= 2;  // ends for any bytes
    l.chunk_count = c.slots / kChunkSlots;
    l.participants = kPage;
    l.chunk_owners = l.participants + page_up(sizeof(Participant) * (c.participants + 1ull));
    l.extents = l.chunk_owners + page_up(sizeof(std::uint64_t) * l.chunk_count);
    l.buckets = l.extents + kPage;
    l.held = l.buckets + page_up(sizeof(std::uint64_t) * l.bucket_count);
    l.eager = l.held;
    l.held_bytes = page_up((c.elements + 7ull) / 8);
    l.texts = l.held + l.held_bytes * (c.participants + 1ull);
    l.elements = l.texts + page_up(sizeof(Text) * c.texts);
    l.slots = l.elements + page_up(sizeof(Element) * static_cast<std::size_t>(c.elements));
    l.lanes = l.slots + page_up(sizeof(Slot) * static_cast<std::size_t>(l.chunk_count) * kChunkSlots);
    l.lane_bytes = c.telemetry == 0 ? 0 : kPage + page_up(static_cast<std::size_t>(c.telemetry) * (kRecordBytes + kNotesPerRecord));
    l.stats = l.lanes + l.lane_bytes * (c.participants + 1ull);
    // Its sections, in this order: rows, the row of each element, cells of what has no row by kind, cells of the rows.
    l.stat_index = l.stats + page_up(sizeof(StatRow) * static_cast<std::size_t>(c.rows));
    l.stat_rest = l.stat_index + (c.rows == 0 ? 0 : page_up(sizeof(std::uint16_t) * static_cast<std::size_t>(c.elements)));
    l.stat_cells = l.stat_rest + (c.rows == 0 ? 0 : page_up(sizeof(StatCell) * kTiers * kKinds));
    l.heap = l.stat_cells + page_up(sizeof(StatCell) * kTiers * static_cast<std::size_t>(c.rows));
    l.heap_bytes = c.heap * kPage;
    l.size = l.heap + l.heap_bytes;
    return l;
  }
};

}  // namespace forelock::core
