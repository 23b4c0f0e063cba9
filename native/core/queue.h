// A bounded queue of byte records. It has as many cells as it may hold records; a cell is in one place at a time, and the
// word at its head says in which: free, being written, ready, given to a waiter, or taken. That word is the truth. What brings
// the cells into an order are rings: one of the free cells, and for each tier one of those that are ready and one of those that came
// back, which go first. A ring is an array of {ticket, cell}; an entry counts exactly while its cell says that it is ready
// (or free) under this very ticket.
//
//   put    the cell's word gets the next ticket (a store; a CAS where it is not in one's own hand), the entry is linked (CAS), the tail
//          moves on (a store, anybody's)
//   take   the cell of the first entry is claimed by a CAS on its word, the head moves on (a store, anybody's)
//
// Whoever meets a half-done put or take can go on with it, so nobody waits for anybody. The
// array queue is after Tsigas and Zhang (SPAA 2001); that claims are made on the cell, so that the word that grants is also the note of
// who has it, is ours. docs/decisions/0009-queue.md
#pragma once

#include "core/record.h"

namespace forelock::core {

inline constexpr std::uint32_t kMaxCells = 1u << 20;
inline constexpr std::uint32_t kMaxItemBytes = 1u << 20;
inline constexpr std::uint32_t kDefaultCells = 1024;
inline constexpr std::uint32_t kDefaultItemBytes = 1024;

// The rings of a queue.
inline constexpr std::uint32_t kFreeRing = 0;
inline constexpr std::uint32_t fresh_ring(std::uint32_t tier) { return 1 + tier; }
inline constexpr std::uint32_t returned_ring(std::uint32_t tier) { return 1 + kTiers + tier; }
inline constexpr std::uint32_t kRings = 1 + 2 * kTiers;

enum class CellStatus : std::uint32_t {
  kFree = 0,  // in the free ring
  kWriting,   // its owner fills it; seen by nobody
  kReady,     // in a ring of a tier
  kGiven,     // handed to a wait of its owner, which has not looked yet; from the free ring or one of a tier
  kTaken,     // its owner has it in hand
  kLast = kTaken
};

// Cell, word 1: {status:3, ring:4, owner:13, ticket:44}. Ring and ticket are those under which it was last put: at ten million
// a second 44 bits last twenty days until a ticket comes again, and then they are compared by difference.
struct CellWord {
  static constexpr int kTicketBits = 44;
  static constexpr std::uint64_t kTicketMask = (1ull << kTicketBits) - 1;

  CellStatus status;
  std::uint32_t ring;
  ParticipantId owner;  // 0 while free or ready
  std::uint64_t ticket;

  static constexpr CellWord of(std::uint64_t word) {
    return {static_cast<CellStatus>(word >> 61), static_cast<std::uint32_t>(word >> 57) & 0xf,
            static_cast<ParticipantId>(word >> kTicketBits) & 0x1fff, word & kTicketMask};
  }
  constexpr std::uint64_t word() const {
    return (static_cast<std::uint64_t>(status) << 61) | (static_cast<std::uint64_t>(ring) << 57) |
           (static_cast<std::uint64_t>(owner) << kTicketBits) | (ticket & kTicketMask);
  }
  constexpr bool in_ring() const { return status == CellStatus::kFree || status == CellStatus::kReady; }
};

// An entry of a ring: {ticket:44, cell:20}.
struct RingEntry {
  static constexpr std::uint64_t ticket(std::uint64_t word) { return word >> 20; }
  static constexpr std::uint32_t cell(std::uint64_t word) { return static_cast<std::uint32_t>(word & 0xfffff); }
  static constexpr std::uint64_t word(std::uint64_t ticket, std::uint32_t cell) { return (ticket << 20) | cell; }
  // Which of two tickets is later, also across the wrap of their 44 bits.
  static constexpr std::int64_t difference(std::uint64_t a, std::uint64_t b) { return static_cast<std::int64_t>((a - b) << 20) >> 20; }
};

struct alignas(64) Ring {
  atomic<std::uint64_t> head;              // the first ticket that may not have been taken yet
  alignas(64) atomic<std::uint64_t> tail;  // the first that may not have been given away yet
};

struct alignas(64) Cell {
  atomic<std::uint64_t> state;
  plain<std::uint32_t> length;
  plain<std::uint32_t> tier;
  plain<std::uint32_t> attempt;  // how often it was delivered
  plain<std::uint32_t> unused[11];
  // The record follows.
};
static_assert(sizeof(Cell) == 64 && sizeof(Ring) == 128);

// Followed by the entries of all rings, then by the cells.
struct alignas(64) QueueRecord {
  plain<std::uint32_t> capacity;
  plain<std::uint32_t> max_bytes;
  plain<std::uint32_t> items;  // the element where consumers wait, and the one where producers do
  plain<std::uint32_t> room;
  atomic<std::uint32_t> used;  // a bit for each ring that anything was ever put into: the others are not looked at
  atomic<std::uint64_t> users[(kMaxParticipants + 64) / 64];  // a bit for each participant that ever used it
  Ring rings[kRings];
};

struct QueueConfig {
  std::uint32_t capacity;
  std::uint32_t max_bytes;
};

// A queue as this process sees it: what was read of its record once was checked then, what is read again is checked again.
class Queue {
 public:
  // A cell and the word that was seen in it.
  struct Seen {
    std::uint32_t cell = 0;
    std::uint64_t word = 0;
  };

  // Throws Corrupt where no queue can be.
  Queue(const Arena& arena, std::uint64_t offset);

  // Makes the record that the element `items` is to show; `offset` is where it is afterwards, be it another's.
  static Made make(Arena& arena, ElementIndex items, ElementIndex room, QueueConfig config, std::uint64_t& offset);

  const QueueConfig& config() const { return config_; }
  ElementIndex items() const { return items_; }
  ElementIndex room() const { return room_; }
  QueueRecord& record() const { return *record_; }
  // Whether consumers, or producers, wait: then they are served first. Read after a put: (q1), (q2).
  bool items_wanted() const { return (items_element_->fast.load(memory_order_seq_cst) & Fast::kQueued) != 0; }
  bool room_wanted() const { return (room_element_->fast.load(memory_order_seq_cst) & Fast::kQueued) != 0; }

  Cell& cell(std::uint32_t index) const {
    if (index >= config_.capacity) throw Corrupt("cell out of range");
    return *reinterpret_cast<Cell*>(cells_ + static_cast<std::size_t>(index) * stride_);
  }
  unsigned char* bytes(std::uint32_t index) const { return reinterpret_cast<unsigned char*>(&cell(index)) + sizeof(Cell); }

  // The first that can be taken of a ring, or of all rings of the tiers; false when there was none.
  bool first_of(std::uint32_t ring, Seen& out) const;
  bool first_item(Seen& out) const;
  // Takes exactly what was seen.
  bool claim(const Seen& seen, CellStatus status, ParticipantId owner, std::uint64_t& word) const;
  // The first of a ring; false when it is empty.
  bool take(std::uint32_t ring, CellStatus status, ParticipantId owner, Seen& out) const;
  // The cell behind one that was just taken of a ring is the next to be taken there.
  void prefetch_after(const Seen& taken) const {
#if !defined(FORELOCK_SCHEDULED)  // nothing comes of it, so there is nothing to be explored
    const CellWord was = CellWord::of(taken.word);
    const std::uint32_t next = RingEntry::cell(entry(was.ring, after(was.ticket)).load(memory_order_relaxed));
    if (next >= config_.capacity) return;
    const unsigned char* at = cells_ + static_cast<std::size_t>(next) * stride_;
    prefetch(at);
    prefetch(at + sizeof(Cell));
#else
    (void)taken;
#endif
  }
  // Moves a cell into a ring that is in hand of this very participant, which is alive, so that nobody else may change it before it is put:
  // its first step needs no CAS.
  void put(std::uint32_t index, std::uint32_t ring) const;
  // The same of any cell; false when it is no longer as it was seen.
  bool put_anyhow(Seen seen, std::uint32_t ring) const;
  // What is given back goes to the front of its tier, or to the free cells.
  bool put_back(const Seen& seen) const;

  // Everything that `who` had in hand goes back, in its order, and what anybody left half put is put. `who` is dead, or is
  // this very participant, which leaves.
  void recover(ChunkOwner who, bool leaves) const;

  // Records that are ready, of one tier or of all.
  std::uint32_t size(std::uint32_t tier) const;
  std::uint32_t size() const;

  void use(ParticipantId who) const { record_->users[who / 64].fetch_or(1ull << (who % 64), memory_order_acq_rel); }
  bool used_by(ParticipantId who) const { return (record_->users[who / 64].load(memory_order_acquire) >> (who % 64) & 1) != 0; }

 private:
  static std::size_t bytes_of(QueueConfig config);
  static std::uint32_t places_of(std::uint32_t capacity);
  static std::size_t stride_of(std::uint32_t max_bytes) { return sizeof(Cell) + (max_bytes + 63) / 64 * 64; }
  atomic<std::uint64_t>& entry(std::uint32_t ring, std::uint64_t ticket) const {
    return entries_[static_cast<std::size_t>(ring) * places_ + (ticket & (places_ - 1))];
  }
  static constexpr std::uint32_t bit_of(std::uint32_t ring) { return 1u << ring; }
  static constexpr std::uint64_t after(std::uint64_t ticket) { return (ticket + 1) & CellWord::kTicketMask; }
  static constexpr std::uint64_t ready_word(std::uint32_t ring, std::uint64_t ticket) {
    return CellWord{ring == kFreeRing ? CellStatus::kFree : CellStatus::kReady, ring, 0, ticket}.word();
  }
  // Heads and tails save steps and decide nothing, so a mere store will do. Who is stopped just before it sets them back, by no more than
  // others step over once, a lap at most; it looks first so that this is rare.
  static void move(atomic<std::uint64_t>& position, std::uint64_t from, std::uint64_t to) {
    if (position.load(memory_order_relaxed) == from) position.store(to, memory_order_release);
  }
  // (q2) before anything is linked there.
  void mark_used(std::uint32_t ring) const {
    if ((record_->used.load(memory_order_relaxed) & bit_of(ring)) == 0) record_->used.fetch_or(bit_of(ring), memory_order_seq_cst);
  }
  // The rest of first_of(), where the head has fallen behind.
  bool search(std::uint32_t ring, std::uint64_t began, Seen& out) const;
  // The first ticket that was not linked yet.
  std::uint64_t end_of(std::uint32_t ring) const;
  bool linked(std::uint32_t index, const CellWord& word) const {
    return entry(word.ring, word.ticket).load(memory_order_acquire) == RingEntry::word(word.ticket, index);
  }

  const Arena* arena_;
  QueueRecord* record_;
  QueueConfig config_;
  ElementIndex items_;
  ElementIndex room_;
  Element* items_element_;
  Element* room_element_;
  std::uint32_t places_;  // of a ring, a power of two
  std::size_t stride_;
  atomic<std::uint64_t>* entries_;
  unsigned char* cells_;
};

// ---- taking --------------------------------------------------------------------------------------------------------

inline bool Queue::first_of(std::uint32_t ring, Seen& out) const {
  const std::uint64_t first = record_->rings[ring].head.load(memory_order_acquire);
  // (q1) (q2) sequentially consistent: who has set the queued bit of a waiting element must find here what was put before
  // that bit was looked for.
  const std::uint64_t seen = entry(ring, first).load(memory_order_seq_cst);
  if (RingEntry::ticket(seen) == first) [[likely]] {
    out.cell = RingEntry::cell(seen);
    out.word = cell(out.cell).state.load(memory_order_acquire);
    if (out.word == ready_word(ring, first)) [[likely]]
      return true;
  }
  Seen found;  // of its own: were the address of `out` given away, it would be kept in memory
  const bool any = search(ring, first, found);
  out = found;
  return any;
}

inline bool Queue::first_item(Seen& out) const {
  const std::uint32_t used = record_->used.load(memory_order_seq_cst);  // (q2)
  for (std::uint32_t tier = kTiers; tier-- > 0;) {
    if ((used & (bit_of(returned_ring(tier)) | bit_of(fresh_ring(tier)))) == 0) continue;
    if ((used & bit_of(returned_ring(tier))) != 0 && first_of(returned_ring(tier), out)) return true;
    if ((used & bit_of(fresh_ring(tier))) != 0 && first_of(fresh_ring(tier), out)) return true;
  }
  return false;
}

// The linearization point of taking. If we die before the head has moved on, the next one moves it.
inline bool Queue::claim(const Seen& seen, CellStatus status, ParticipantId owner, std::uint64_t& word) const {
  const CellWord was = CellWord::of(seen.word);
  std::uint64_t expected = seen.word;
  const std::uint64_t claimed = CellWord{status, was.ring, owner, was.ticket}.word();
  // (q3) acquires what the producer wrote.
  if (!cell(seen.cell).state.compare_exchange_strong(expected, claimed, memory_order_acq_rel, memory_order_relaxed)) return false;
  word = claimed;
  move(record_->rings[was.ring].head, was.ticket, after(was.ticket));
  return true;
}

inline bool Queue::take(std::uint32_t ring, CellStatus status, ParticipantId owner, Seen& out) const {
  while (first_of(ring, out)) {
    if (claim(out, status, owner, out.word)) return true;
  }
  return false;
}

// ---- putting -------------------------------------------------------------------------------------------------------

inline void Queue::put(std::uint32_t index, std::uint32_t ring) const {
  auto& tail = record_->rings[ring].tail;
  auto& state = cell(index).state;
  mark_used(ring);
  const std::uint64_t next = tail.load(memory_order_acquire);
  auto& place = entry(ring, next);
  std::uint64_t old = place.load(memory_order_acquire);
  if (RingEntry::difference(RingEntry::ticket(old), next) < 0) [[likely]] {
    const std::uint64_t wanted = ready_word(ring, next);
    // (q3) releases the record to whoever claims it.
    state.store(wanted, memory_order_release);
    // (q1) (q2) sequentially consistent: the linearization point, before the queued bit of those who wait is looked at.
    if (place.compare_exchange_strong(old, RingEntry::word(next, index), memory_order_seq_cst, memory_order_relaxed)) [[likely]] {
      move(tail, next, after(next));
      return;
    }
    put_anyhow({index, wanted}, ring);
    return;
  }
  put_anyhow({index, state.load(memory_order_relaxed)}, ring);
}

inline bool is_queue(const Element& element) {
  const Kind kind = Meta::kind(element.meta.load(memory_order_acquire));
  return kind == Kind::kQueue || kind == Kind::kRoom;
}

// Whether somebody who waits at this element could be served now.
bool servable(const Arena& arena, const Element& element);

// A cell in hand as its user knows it: {ticket:26, cell:24}, which fits where a lock has its sequence.
struct CellHandle {
  static constexpr std::uint64_t of(const Queue::Seen& seen) { return ((CellWord::of(seen.word).ticket & 0x3ffffff) << 24) | seen.cell; }
  static constexpr std::uint32_t cell(std::uint64_t handle) { return static_cast<std::uint32_t>(handle & 0xffffff); }
  static constexpr bool matches(std::uint64_t handle, const CellWord& word) { return (word.ticket & 0x3ffffff) == handle >> 24; }
};

}  // namespace forelock::core
