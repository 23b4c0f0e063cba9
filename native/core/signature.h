// What two builds must agree on to share a segment: the sizes of all that lies in it.
#pragma once

#include <initializer_list>

#include "core/bucket.h"
#include "core/keyed.h"
#include "core/layout.h"
#include "core/plan.h"
#include "core/pool.h"
#include "core/queue.h"
#include "core/records.h"

namespace forelock::core {

constexpr std::uint64_t signature_of(std::initializer_list<std::uint64_t> parts) {
  std::uint64_t h = 14695981039346656037ull;  // FNV-1a
  for (const std::uint64_t part : parts) h = (h ^ part) * 1099511628211ull;
  return h;
}

inline constexpr std::uint64_t kSignature = signature_of({sizeof(Header),
                                                          sizeof(Element),
                                                          sizeof(Slot),
                                                          sizeof(Extension),
                                                          sizeof(Wants),
                                                          sizeof(Participant),
                                                          sizeof(Text),
                                                          sizeof(StatCell),
                                                          sizeof(StatRow),
                                                          sizeof(LaneHead),
                                                          sizeof(Record),
                                                          sizeof(BucketRecord),
                                                          sizeof(PaceCell),
                                                          sizeof(PoolRecord),
                                                          sizeof(PoolTerms),
                                                          sizeof(TenantRow),
                                                          sizeof(PlanTable),
                                                          sizeof(PlanEntry),
                                                          sizeof(PlanLoss),
                                                          sizeof(QueueRecord),
                                                          sizeof(Ring),
                                                          sizeof(Cell),
                                                          sizeof(KeyedRecord),
                                                          sizeof(KeyedLine),
                                                          kChunkSlots,
                                                          kNameInline,
                                                          kPlans,
                                                          kPlanWindow,
                                                          kPlanSources,
                                                          kDimensions,
                                                          kTenantRows,
                                                          kLabels,
                                                          kWakerRecords,
                                                          static_cast<std::uint64_t>(Counter::kLast),
                                                          static_cast<std::uint64_t>(Status::kLast),
                                                          static_cast<std::uint64_t>(kReserveShift)});

}  // namespace forelock::core
