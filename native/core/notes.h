// The second lane of a participant: records of any length up to 4 KiB (inputs, usage, cost), written by its script thread. A ring of
// words that drops the oldest: before anything is overwritten the tail moves past it, so a reader that finds the tail beyond what it
// has copied does not believe the copy. Each note carries its number, by which what was dropped is counted exactly.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/records.h"

namespace forelock::core {

inline constexpr std::uint32_t kNoteMaxBytes = 4096;

struct NoteHead {
  std::uint32_t length;  // bytes, without this head
  std::uint32_t kind;    // of the writer's choosing
  Nanos time;
  std::uint64_t number;  // of this lane, counted from 0
};
inline constexpr std::size_t kNoteHeadWords = sizeof(NoteHead) / sizeof(std::uint64_t);
static_assert(sizeof(NoteHead) == 24);

class NoteRing {
 public:
  NoteRing(const Arena& arena, ParticipantId id) {
    unsigned char* lane = arena.telemetry_of(id);
    head_ = &reinterpret_cast<LaneHead*>(lane)->notes.head;
    tail_ = &reinterpret_cast<LaneHead*>(lane)->notes.tail;
    words_ = reinterpret_cast<atomic<std::uint64_t>*>(lane + kPage + static_cast<std::size_t>(arena.capacity().telemetry) * kRecordBytes);
    size_ = static_cast<std::uint64_t>(arena.capacity().telemetry) * kNotesPerRecord / sizeof(std::uint64_t);
  }

  static std::uint64_t words_for(std::uint32_t length) { return kNoteHeadWords + (length + 7ull) / 8; }
  std::uint64_t head() const { return head_->load(memory_order_acquire); }  // (n2)
  std::uint64_t tail() const { return tail_->load(memory_order_relaxed); }  // after the words: (n1)

  // By the lane's own thread. False when the ring is too small for it.
  bool write(std::uint32_t kind, Nanos time, const unsigned char* bytes, std::uint32_t length) {
    const std::uint64_t wanted = words_for(length);
    if (length > kNoteMaxBytes || wanted > size_) return false;
    std::uint64_t head = head_->load(memory_order_relaxed);
    std::uint64_t tail = tail_->load(memory_order_relaxed);
    const std::uint64_t number = end_ == head && head != 0 ? number_ : next_number(tail, head);
    while (head + wanted - tail > size_) tail += words_at(tail, head);
    tail_->store(tail, memory_order_relaxed);
    put(head, (static_cast<std::uint64_t>(kind) << 32) | length);
    put(head + 1, time);
    put(head + 2, number);
    for (std::uint32_t i = 0; i < length; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, length - i < 8 ? length - i : 8);
      put(head + kNoteHeadWords + i / 8, word);
    }
    head_->store(head + wanted, memory_order_release);  // (n2) releases the note
    number_ = number + 1;
    end_ = head + wanted;
    return true;
  }

  // The number that comes after the last note between the two. A tail that makes no sense is given up.
  std::uint64_t next_number(std::uint64_t& tail, std::uint64_t head) const {
    if (tail > head || head - tail > size_) tail = head;
    std::uint64_t number = 0;
    for (std::uint64_t at = tail; at < head; at += words_at(at, head)) number = head_at(at).number + 1;
    return number;
  }

  NoteHead head_at(std::uint64_t at) const {
    const std::uint64_t first = get(at);
    return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(first >> 32), get(at + 1), get(at + 2)};
  }
  void copy(std::uint64_t at, std::uint32_t length, unsigned char* out) const {
    for (std::uint32_t i = 0; i < length; i += 8) {
      const std::uint64_t word = get(at + kNoteHeadWords + i / 8);
      std::memcpy(out + i, &word, length - i < 8 ? length - i : 8);
    }
  }

 private:
  // (n1) each releases the tail: who reads one of these words reads the tail afterwards.
  void put(std::uint64_t at, std::uint64_t word) { words_[at & (size_ - 1)].store(word, memory_order_release); }
  std::uint64_t get(std::uint64_t at) const { return words_[at & (size_ - 1)].load(memory_order_acquire); }  // (n1)

  // Of the note at `at`; all that there is where it is none.
  std::uint64_t words_at(std::uint64_t at, std::uint64_t head) const {
    const NoteHead note = head_at(at);
    const std::uint64_t words = note.length > kNoteMaxBytes ? size_ : words_for(note.length);
    return words > head - at ? head - at : words;
  }

  atomic<std::uint64_t>* head_;
  atomic<std::uint64_t>* tail_;
  atomic<std::uint64_t>* words_;
  std::uint64_t size_;
  std::uint64_t number_ = 0;  // of the next note, while the ring ends where we left it
  std::uint64_t end_ = 0;
};

}  // namespace forelock::core
