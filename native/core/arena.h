// A view of an arena in this process's memory: typed, range-checked access to its tables. It owns nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/corrupt.h"
#include "core/layout.h"

namespace forelock::core {

// What the core needs of the machine; native/shm gives it, tests fake it.
class Host {
 public:
  virtual ~Host() = default;
  // Makes sure that memory stands behind these bytes; false when there is none to be had.
  virtual bool back(std::size_t offset, std::size_t bytes) = 0;
  // Wakes the waker thread that sleeps on this participant's ring word.
  virtual void wake(ParticipantId participant) = 0;
  // The arena's clock, and a cheaper reading of it that may lag by a few milliseconds.
  virtual Nanos now() = 0;
  virtual Nanos coarse_now() { return now(); }
  // The cheapest reading of the same clock that lags by no more than some tens of nanoseconds. Of the script thread only.
  virtual Nanos ticks() { return now(); }
  // Telemetry has been recorded for a while: are those who asked for it still there?
  virtual void look_for_observers() {}
};

class Arena {
 public:
  Arena(void* base, Host& host)
      : base_(static_cast<unsigned char*>(base)), host_(host), capacity_(header().capacity), layout_(Layout::of(capacity_)) {}

  Header& header() const { return *reinterpret_cast<Header*>(base_); }
  const Capacity& capacity() const { return capacity_; }
  const Layout& layout() const { return layout_; }
  Host& host() const { return host_; }
  void* base() const { return base_; }

  Element& element(ElementIndex index) const {
    if (index >= capacity_.elements) throw Corrupt("element index out of range");
    return table<Element>(layout_.elements)[index];
  }
  Slot& slot(SlotId id) const {
    if (id - 1 >= layout_.chunk_count * kChunkSlots) throw Corrupt("slot id out of range");
    return table<Slot>(layout_.slots)[id - 1];
  }
  Extension& extension(SlotId id) const { return reinterpret_cast<Extension&>(slot(id)); }
  Wants& wants(SlotId id) const { return reinterpret_cast<Wants&>(slot(id)); }
  Participant& participant(ParticipantId id) const {
    if (id == 0 || id > capacity_.participants) throw Corrupt("participant out of range");
    return table<Participant>(layout_.participants)[id];
  }
  atomic<std::uint64_t>& hint(LaneId lane) const { return participant(participant_of(lane)).hint[lane & 1]; }
  atomic<std::uint64_t>& chunk_owner(std::uint32_t chunk) const {
    if (chunk >= layout_.chunk_count) throw Corrupt("chunk out of range");
    return table<atomic<std::uint64_t>>(layout_.chunk_owners)[chunk];
  }
  atomic<std::uint64_t>& bucket(std::uint64_t hash) const {
    return table<atomic<std::uint64_t>>(layout_.buckets)[hash & (layout_.bucket_count - 1)];
  }
  // Word i of the bitmap of elements that the participant holds, or is about to take, exclusively.
  atomic<std::uint64_t>* held(ParticipantId id) const {
    return reinterpret_cast<atomic<std::uint64_t>*>(base_ + layout_.held + layout_.held_bytes * id);
  }
  Text& text(std::uint32_t index) const {
    if (index >= capacity_.texts) throw Corrupt("text index out of range");
    return table<Text>(layout_.texts)[index];
  }

  // One participant's telemetry. Only where there is memory behind it: lane_is_backed(), or ensure() of it.
  unsigned char* telemetry_of(ParticipantId id) const { return table<unsigned char>(layout_.lanes + layout_.lane_bytes * id); }
  StatRow& stat_row(std::uint32_t row) const { return table<StatRow>(layout_.stats)[row]; }
  atomic<std::uint16_t>& stat_row_of(ElementIndex index) const { return table<atomic<std::uint16_t>>(layout_.stat_index)[index]; }
  StatCell& stat_cell(std::uint32_t row, std::uint32_t tier) const { return table<StatCell>(layout_.stat_cells)[row * kTiers + tier]; }
  StatCell& stat_rest(Kind kind, std::uint32_t tier) const {
    return table<StatCell>(layout_.stat_rest)[static_cast<std::uint32_t>(kind) * kTiers + tier];
  }

  // A record of the heap, by its offset there. The first line of the heap is not used, so that 0 is none.
  template <typename T>
  T& record(std::uint64_t offset) const {
    if (offset < kHeapStart || offset % alignof(T) != 0 || offset > layout_.heap_bytes || layout_.heap_bytes - offset < sizeof(T)) {
      throw Corrupt("record out of range");
    }
    return *table<T>(layout_.heap + offset);
  }

  // The owner of a slot is the owner of its chunk.
  ChunkOwner owner_of(SlotId id) const { return ChunkOwner::of(chunk_owner((id - 1) / kChunkSlots).load(memory_order_acquire)); }
  bool is_dead(ParticipantId id) const { return LifeWord::of(participant(id).life.load(memory_order_acquire)).life == Life::kDead; }
  bool is_dead(ChunkOwner owner) const {
    if (owner.participant == 0) return false;
    return participant(owner.participant).life.load(memory_order_acquire) == LifeWord{Life::kDead, owner.incarnation}.word();
  }
  bool is_alive(ParticipantId id) const { return LifeWord::of(participant(id).life.load(memory_order_acquire)).life == Life::kAlive; }
  bool lane_is_dead(LaneId lane) const { return is_dead(participant_of(lane)); }

  // No walk over slots of a sound arena is longer than this.
  std::uint32_t walk_bound() const { return layout_.chunk_count * kChunkSlots + 1; }

  // Memory is backed before its first use, read or write: touching a hole of a full tmpfs is SIGBUS.
  bool ensure(std::size_t offset, std::size_t bytes) const {
    for (std::size_t extent = offset / kExtent; extent <= (offset + bytes - 1) / kExtent; extent++) {
      auto& word = table<atomic<std::uint64_t>>(layout_.extents)[extent / 64];
      const std::uint64_t bit = 1ull << (extent % 64);
      if (word.load(memory_order_acquire) & bit) continue;
      const std::size_t from = extent * kExtent;
      const std::size_t to = from + kExtent < layout_.size ? from + kExtent : layout_.size;
      if (!host_.back(from, to - from)) return false;
      word.fetch_or(bit, memory_order_acq_rel);
    }
    return true;
  }

  // What nobody has backed nobody has written.
  bool is_backed(std::size_t offset, std::size_t bytes) const {
    for (std::size_t extent = offset / kExtent; extent <= (offset + bytes - 1) / kExtent; extent++) {
      if ((table<atomic<std::uint64_t>>(layout_.extents)[extent / 64].load(memory_order_acquire) & (1ull << (extent % 64))) == 0)
        return false;
    }
    return true;
  }

  void count(Counter counter) const { header().counters[static_cast<int>(counter)].fetch_add(1, memory_order_relaxed); }

 private:
  template <typename T>
  T* table(std::size_t offset) const {
    return reinterpret_cast<T*>(base_ + offset);
  }

  unsigned char* base_;
  Host& host_;
  Capacity capacity_;
  Layout layout_;
};

}  // namespace forelock::core
