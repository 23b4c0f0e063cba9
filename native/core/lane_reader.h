// Reads the telemetry of all participants, dead ones included. Each reader has its own place in every ring and disturbs nobody, so
// there may be any number of them. What was overwritten before it was read is counted, exactly: a record is either copied once or
// counted as lost once. A ring whose positions make no sense is taken up again where it is now.
#pragma once

#include <cstdint>
#include <vector>

#include "core/notes.h"

namespace forelock::core {

class LaneReader {
 public:
  // From now on.
  explicit LaneReader(const Arena& arena);

  // Copies whole records into `out`, as many as fit; how many. Those of one ring in the order of their writing; a record that is being
  // written is left for the next time. `out` may be anybody's memory: it is only written to.
  std::size_t drain(unsigned char* out, std::size_t records);

  // The same of notes: each as a DrainedNote and its bytes, padded to eight. How many bytes were written; one that does not fit is left.
  std::size_t drain_notes(unsigned char* out, std::size_t bytes);

  std::uint64_t lost() const { return lost_; }
  std::uint64_t lost_notes() const { return lost_notes_; }

 private:
  struct Place {
    std::uint64_t records[2] = {0, 0};
    std::uint64_t notes = 0;
    std::uint64_t note_number = 0;
    bool numbered = true;  // note_number is known
  };
  void begin_notes(ParticipantId id, Place& place);
  std::size_t drain_ring(const RecordRing& ring, std::uint64_t& place, unsigned char* out, std::size_t records);
  std::size_t drain_notes_of(ParticipantId id, Place& place, unsigned char* out, std::size_t bytes, bool& full);

  const Arena& arena_;
  std::vector<Place> places_;
  ParticipantId next_ = 1;  // rings take turns at being first
  ParticipantId next_note_ = 1;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_notes_ = 0;
};

struct DrainedNote {
  std::uint32_t length;
  std::uint32_t kind;
  Nanos time;
  std::uint32_t participant;
  std::uint32_t unused;
};
static_assert(sizeof(DrainedNote) == 24);

}  // namespace forelock::core
