#include "core/queue.h"

#include <algorithm>
#include <vector>

namespace forelock::core {

namespace {

// Each round that fails is one in which another got on; so many in a row there are only where the words lead in circles.
constexpr std::uint32_t kRounds = 1u << 22;

constexpr std::uint32_t tier_of_ring(std::uint32_t ring) { return ring == kFreeRing ? 0 : (ring - 1) % kTiers; }

}  // namespace

// ---- the record ----------------------------------------------------------------------------------------------------

std::uint32_t Queue::places_of(std::uint32_t capacity) {
  std::uint32_t places = 1;
  while (places < capacity) places *= 2;
  return places;
}

std::size_t Queue::bytes_of(QueueConfig config) {
  const std::size_t entries = (sizeof(std::uint64_t) * kRings * places_of(config.capacity) + 63) / 64 * 64;
  return sizeof(QueueRecord) + entries + stride_of(config.max_bytes) * config.capacity;
}

Queue::Queue(const Arena& arena, std::uint64_t offset) : arena_(&arena), record_(&arena.record<QueueRecord>(offset)) {
  config_ = {record_->capacity.peek(), record_->max_bytes.peek()};
  if (config_.capacity == 0 || config_.capacity > kMaxCells || config_.max_bytes == 0 || config_.max_bytes > kMaxItemBytes ||
      arena.layout().heap_bytes - offset < bytes_of(config_) ||
      arena.header().heap_used.load(memory_order_acquire) < offset + bytes_of(config_)) {
    throw Corrupt("a queue's record");
  }
  items_ = record_->items.peek();
  room_ = record_->room.peek();
  items_element_ = &arena.element(items_);
  room_element_ = &arena.element(room_);
  places_ = places_of(config_.capacity);
  stride_ = stride_of(config_.max_bytes);
  unsigned char* const base = reinterpret_cast<unsigned char*>(record_);
  entries_ = reinterpret_cast<atomic<std::uint64_t>*>(base + sizeof(QueueRecord));
  cells_ = base + (bytes_of(config_) - stride_ * config_.capacity);
}

Made Queue::make(Arena& arena, ElementIndex items, ElementIndex room, QueueConfig config, std::uint64_t& offset) {
  const std::size_t bytes = bytes_of(config);
  if (const Made made = allocate_heap(arena, bytes, offset); made != Made::kOk) return made;
  QueueRecord& record = arena.record<QueueRecord>(offset);
  record.capacity.set(config.capacity);
  record.max_bytes.set(config.max_bytes);
  record.items.set(items);
  record.room.set(room);
  // Tickets begin with the second lap: an entry that was never used is of the first, and so is older than any.
  const std::uint64_t first = places_of(config.capacity);
  for (std::uint32_t ring = 0; ring < kRings; ring++) {
    record.rings[ring].head.store(first, memory_order_relaxed);
    record.rings[ring].tail.store(ring == kFreeRing ? first + config.capacity : first, memory_order_relaxed);
  }
  const Queue queue(arena, offset);
  for (std::uint32_t i = 0; i < config.capacity; i++) {
    queue.entry(kFreeRing, first + i).store(RingEntry::word(first + i, i), memory_order_relaxed);
    queue.cell(i).state.store(CellWord{CellStatus::kFree, kFreeRing, 0, first + i}.word(), memory_order_relaxed);
  }
  offset = show_record(arena, arena.element(items), offset, bytes);
  return Made::kOk;
}

// ---- taking --------------------------------------------------------------------------------------------------------

bool Queue::search(std::uint32_t ring, std::uint64_t began, Seen& out) const {
  std::uint64_t first = began;
  bool found = false;
  for (std::uint32_t rounds = 0;; rounds++) {
    if (rounds == kRounds) throw Corrupt("a ring that never ends");
    const std::uint64_t seen = entry(ring, first).load(memory_order_seq_cst);  // (q1) (q2)
    const std::int64_t lap = RingEntry::difference(RingEntry::ticket(seen), first);
    if (lap < 0) break;
    if (lap == 0) {
      out.cell = RingEntry::cell(seen);
      out.word = cell(out.cell).state.load(memory_order_acquire);
      found = out.word == ready_word(ring, first);
      if (found) break;
      first = after(first);
    } else {
      // Its place is in use again, for which all of the lap before must have been taken.
      first = after(RingEntry::ticket(seen) - places_);
    }
  }
  if (first != began) move(record_->rings[ring].head, began, first);
  return found;
}

// ---- putting -------------------------------------------------------------------------------------------------------

// A cell gets a ticket before it is linked, and a new one when another cell was linked under that. Whoever meets a cell with
// a ticket and without an entry may go on from there: the entry is the same whoever links it.
bool Queue::put_anyhow(Seen seen, std::uint32_t ring) const {
  auto& tail = record_->rings[ring].tail;
  auto& state = cell(seen.cell).state;
  std::uint64_t word = seen.word;
  bool moved = CellWord::of(word).in_ring();  // out of the state in which it was seen
  mark_used(ring);
  const std::uint64_t began = tail.load(memory_order_acquire);
  std::uint64_t next = began;
  for (std::uint32_t rounds = 0; rounds < kRounds; rounds++) {
    auto& place = entry(ring, next);
    std::uint64_t old = place.load(memory_order_acquire);
    if (RingEntry::difference(RingEntry::ticket(old), next) >= 0) {
      next = after(RingEntry::ticket(old));
      continue;
    }
    // We are past the ticket that it had, so nobody links anything under that any more: it says now whether it was linked.
    const CellWord was = CellWord::of(word);
    if (was.in_ring() && was.ticket != next && linked(seen.cell, was)) return true;
    const std::uint64_t wanted = ready_word(ring, next);
    // (q3) as in put(). Where it fails after it was moved, a sweeper went on with it, and may have stopped before the link: who comes back
    // from a put has its cell in order, so this goes on from there, unless it was taken since.
    if (word != wanted && !state.compare_exchange_strong(word, wanted, memory_order_acq_rel, memory_order_acquire)) {
      const CellWord is = CellWord::of(word);
      if (!moved || !is.in_ring() || is.ring != ring) return moved;
      continue;
    }
    word = wanted;
    moved = true;
    // (q1) (q2) as in put()
    if (place.compare_exchange_strong(old, RingEntry::word(next, seen.cell), memory_order_seq_cst, memory_order_relaxed)) {
      move(tail, began, after(next));
      return true;
    }
  }
  throw Corrupt("a ring that never ends");
}

bool Queue::put_back(const Seen& seen) const {
  const std::uint32_t ring = CellWord::of(seen.word).ring;
  return put_anyhow(seen, ring == kFreeRing ? kFreeRing : returned_ring(tier_of_ring(ring)));
}

void Queue::recover(ChunkOwner who, bool leaves) const {
  std::vector<Seen> in_hand;
  for (std::uint32_t i = 0; i < config_.capacity; i++) {
    const Seen seen{i, cell(i).state.load(memory_order_acquire)};
    const CellWord word = CellWord::of(seen.word);
    if (word.ring >= kRings || word.status > CellStatus::kLast) throw Corrupt("the word of a cell");
    if (word.in_ring()) {
      if (!linked(i, word)) put_anyhow(seen, word.ring);
    } else if (word.owner == who.participant && (leaves || arena_->is_dead(who))) {
      in_hand.push_back(seen);
    }
  }
  // What came back before goes before the rest, as it would have without this death.
  std::sort(in_hand.begin(), in_hand.end(), [](const Seen& a, const Seen& b) {
    const CellWord x = CellWord::of(a.word);
    const CellWord y = CellWord::of(b.word);
    return x.ring != y.ring ? x.ring > y.ring : RingEntry::difference(x.ticket, y.ticket) < 0;
  });
  // What was being written comes from the free cells and goes back there.
  for (const Seen& seen : in_hand) put_back(seen);
}

// ---- looking -------------------------------------------------------------------------------------------------------

std::uint64_t Queue::end_of(std::uint32_t ring) const {
  std::uint64_t next = record_->rings[ring].tail.load(memory_order_acquire);
  for (std::uint32_t rounds = 0; rounds < kRounds; rounds++) {
    const std::uint64_t last = RingEntry::ticket(entry(ring, next).load(memory_order_acquire));
    if (RingEntry::difference(last, next) < 0) return next;
    next = after(last);
  }
  throw Corrupt("a ring that never ends");
}

std::uint32_t Queue::size(std::uint32_t tier) const {
  std::uint32_t sum = 0;
  for (const std::uint32_t ring : {returned_ring(tier), fresh_ring(tier)}) {
    Seen first;
    if (!first_of(ring, first)) continue;  // it brings the head to where it belongs
    const std::int64_t length = RingEntry::difference(end_of(ring), CellWord::of(first.word).ticket);
    sum += length > 0 ? static_cast<std::uint32_t>(length) : 0;
  }
  return std::min(sum, config_.capacity);
}

std::uint32_t Queue::size() const {
  std::uint32_t sum = 0;
  for (std::uint32_t tier = 0; tier < kTiers; tier++) sum += size(tier);
  return std::min(sum, config_.capacity);
}

bool servable(const Arena& arena, const Element& element) {
  const std::uint64_t offset = element.base.load(memory_order_acquire);
  if (offset == 0) return false;  // nobody has made its record yet
  const Queue queue(arena, offset);
  Queue::Seen first;
  const bool room = Meta::kind(element.meta.load(memory_order_acquire)) == Kind::kRoom;
  return room ? queue.first_of(kFreeRing, first) : queue.first_item(first);
}

}  // namespace forelock::core
