#include "core/lane_reader.h"

#include <algorithm>
#include <cstring>

namespace forelock::core {

namespace {

constexpr Thread kThreads[] = {Thread::kScript, Thread::kWaker};
constexpr std::size_t kBatch = 64;  // records copied between two looks at how far the writer has come

}  // namespace

LaneReader::LaneReader(const Arena& arena) : arena_(arena), places_(arena.capacity().participants + 1) {
  for (ParticipantId id = 1; id < places_.size(); id++) {
    if (!lane_is_backed(arena_, id)) continue;
    for (const Thread thread : kThreads) places_[id].records[static_cast<int>(thread)] = RecordRing(arena_, id, thread).head();
    begin_notes(id, places_[id]);
  }
}

// Where the notes stand, and the number of the next one: unknown only if the writer overwrote them each time we looked.
void LaneReader::begin_notes(ParticipantId id, Place& place) {
  const NoteRing ring(arena_, id);
  place.numbered = false;
  for (int tries = 0; tries < 8 && !place.numbered; tries++) {
    std::uint64_t tail = ring.tail();
    place.notes = ring.head();
    place.note_number = ring.next_number(tail, place.notes);
    place.numbered = ring.tail() <= tail;
  }
}

std::size_t LaneReader::drain(unsigned char* out, std::size_t records) {
  std::size_t copied = 0;
  const auto count = static_cast<ParticipantId>(places_.size() - 1);
  for (ParticipantId turn = 0; turn < count && copied < records; turn++) {
    const ParticipantId id = (next_ - 1 + turn) % count + 1;
    if (!lane_is_backed(arena_, id)) continue;
    for (const Thread thread : kThreads) {
      copied += drain_ring(RecordRing(arena_, id, thread), places_[id].records[static_cast<int>(thread)], out + copied * kRecordBytes,
                           records - copied);
    }
    if (copied == records) next_ = id % count + 1;
  }
  return copied;
}

std::size_t LaneReader::drain_ring(const RecordRing& ring, std::uint64_t& place, unsigned char* out, std::size_t records) {
  const std::uint64_t head = ring.head();
  if (place > head || ring.claim() < head) place = head;  // damage: heads only grow, and the claim goes before
  std::size_t copied = 0;
  while (place < head && copied < records) {
    const std::uint64_t oldest = std::min(ring.intact_from(), head);
    if (place < oldest) {
      lost_ += oldest - place;
      place = oldest;
      continue;
    }
    const std::size_t batch = std::min<std::size_t>({kBatch, records - copied, static_cast<std::size_t>(head - place)});
    std::uint64_t words[kBatch * kRecordWords];
    for (std::size_t i = 0; i < batch; i++) ring.copy(place + i, words + i * kRecordWords);
    const std::uint64_t intact = std::clamp(ring.intact_from(), place, place + batch);
    const std::size_t gone = intact - place;
    std::memcpy(out + copied * kRecordBytes, words + gone * kRecordWords, (batch - gone) * kRecordBytes);
    lost_ += gone;
    copied += batch - gone;
    place += batch;
  }
  return copied;
}

std::size_t LaneReader::drain_notes(unsigned char* out, std::size_t bytes) {
  std::size_t written = 0;
  const auto count = static_cast<ParticipantId>(places_.size() - 1);
  for (ParticipantId turn = 0; turn < count; turn++) {
    const ParticipantId id = (next_note_ - 1 + turn) % count + 1;
    if (!lane_is_backed(arena_, id)) continue;
    bool full = false;
    written += drain_notes_of(id, places_[id], out + written, bytes - written, full);
    if (!full) continue;
    next_note_ = id;
    break;
  }
  return written;
}

std::size_t LaneReader::drain_notes_of(ParticipantId id, Place& place, unsigned char* out, std::size_t bytes, bool& full) {
  const NoteRing ring(arena_, id);
  const std::uint64_t head = ring.head();
  if (place.notes > head) place.notes = head;
  std::size_t written = 0;
  unsigned char copy[kNoteMaxBytes];
  // Each round takes a note, or goes on at a tail that has moved; bounded, because the writer may be as fast as we are.
  for (std::uint32_t rounds = 0; place.notes < head && rounds < arena_.capacity().telemetry; rounds++) {
    const NoteHead note = ring.head_at(place.notes);
    const std::uint64_t words = NoteRing::words_for(note.length);
    const bool sound = note.length <= kNoteMaxBytes && words <= head - place.notes;
    if (sound) ring.copy(place.notes, note.length, copy);
    const std::uint64_t tail = ring.tail();
    if (tail > place.notes) {
      place.notes = std::min(tail, head);
      continue;
    }
    if (!sound) {  // damage
      place.notes = head;
      place.numbered = false;
      break;
    }
    const std::size_t size = sizeof(DrainedNote) + (words - kNoteHeadWords) * 8;
    if (size > bytes - written) {
      full = true;
      break;
    }
    if (place.numbered && note.number > place.note_number) lost_notes_ += note.number - place.note_number;
    place.note_number = note.number + 1;
    place.numbered = true;
    const DrainedNote drained{note.length, note.kind, note.time, id, 0};
    std::memset(out + written, 0, size);
    std::memcpy(out + written, &drained, sizeof drained);
    std::memcpy(out + written + sizeof drained, copy, note.length);
    written += size;
    place.notes += words;
  }
  return written;
}

}  // namespace forelock::core
