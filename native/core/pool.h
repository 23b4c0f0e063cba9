// Pools: several dimensions, handed out all or nothing. What is handed out is the list of shared holders of the element, each with
// its amounts: that list is the truth, and every sum here is a cache of it, made anew by whoever takes the gate over from the
// dead. So a pool is never over-committed, and what the dead held comes back as a shared lock does. All of it is read and
// written under the element's gate, except where it says otherwise.
#pragma once

#include <array>
#include <cstdint>

#include "core/plan.h"
#include "core/pool_sums.h"

namespace forelock::core {

inline constexpr std::uint32_t kPlannedTenants = 16;  // as many as there may be plans of one pool

// The books of one pool. Throws Corrupt when the element is none.
class Pool : public PoolSums {
 public:
  Pool(Arena& arena, ElementIndex index);
  static bool is(const Arena& arena, ElementIndex index);

  // ---- under the gate
  void find_row(SlotId id);   // of its tenant
  void enqueue(SlotId id);    // it waits
  void dequeue(SlotId id);    // it waits no more
  void take(SlotId id);       // it is a holder
  void give_back(SlotId id);  // it was one
  void recount();
  bool fits(SlotId id) const;
  // Whether it could be granted if nothing else was held.
  bool possible(SlotId id) const;
  // Whether `later` may go although `aged` waits: where it takes of what `aged` wants, enough is left.
  bool may_pass(SlotId aged, SlotId later) const;
  // Whether with this its tier would still be within its floor and share.
  bool entitled(SlotId id) const;
  // The tenant's largest share of a dimension, by its weight (Ghodsi et al., "Dominant Resource Fairness", NSDI 2011).
  double dominant_share(std::uint32_t row) const;
  // Share and keep plans, looked up once by whoever stands in the gate. Of several of one tier, or of one tenant, the largest holds.
  void look_at_plans(ElementIndex index, Nanos now);
  bool is_planned() const { return any_plan_; }
  bool share_is_planned(std::uint32_t tier) const { return planned_share_[tier] >= 0; }
  std::uint32_t share_plan(std::uint32_t tier) const { return share_plan_[tier]; }
  // A keep plan: what it is kept for, and what of each dimension, 0 to 1.
  struct Keep {
    double part = 0;
    PlanEntry* entry = nullptr;
    std::uint32_t source = 0;
    std::uint32_t number = 0;
  };
  const Keep& keep(std::uint32_t tier) const { return keeps_[tier]; }
  // The keep that alone is in the way of a request that waits, of the tier next above it; null: none is.
  const Keep* kept_back_by(SlotId id) const;
  // Whether a request of the tier below, that has just come, would have been refused what this one was granted.
  bool took_of_kept(SlotId granted, std::uint32_t tier) const;
  // Whether it would fit with these amounts given back; whether a tier has more than its floor and share; what a grant has.
  bool enough_with(SlotId id, const Amounts& coming) const;
  bool beyond_its_part(std::uint32_t tier) const;
  void add_amounts(SlotId id, Amounts& sum) const;
  std::uint32_t tenants_waiting(std::uint32_t tier) const { return record_.tenants_waiting[tier].get(); }
  void change(const PoolTerms& terms);

  // ---- by anybody: single words, not of one moment
  // Whether such a request could be granted if nothing else was held.
  bool possible(std::uint32_t tier, const Amounts& amounts) const;
  // The largest part of a capacity that they are, 0 to 1.
  double largest_part(const Amounts& amounts) const;
  // Floor and share of a tier, and the weight of a tenant, with the plans that were looked at.
  std::uint64_t part_of(std::uint32_t tier, std::uint32_t d) const;
  double weight_of(const TenantRow& of) const;

 private:
  struct Claim {
    Amounts amounts;
    std::uint32_t tier;
  };
  Claim claim_of(SlotId id) const;
  bool fits(SlotId id, bool obeys_keeps) const;
  bool passes_keep(const Slot& slot, std::uint32_t tier) const;
  std::uint64_t planned_keep(const Slot& slot, std::uint32_t d) const;
  std::uint64_t units_kept(double part, std::uint32_t d) const;
  void count_waiting(std::uint32_t at, std::uint32_t tier, bool more);
  void clear_sums();
  std::uint64_t planned_growth(std::uint32_t tier, std::uint32_t d) const;
  std::uint64_t planned_share(std::uint32_t tier, std::uint32_t d) const;
  void plan_weight(std::uint32_t tenant, double weight);

  Arena& arena_;
  Element& element_;
  std::array<double, kTiers> planned_share_{-1, -1, -1, -1};
  std::array<std::uint32_t, kTiers> share_plan_{};  // their numbers
  struct PlannedWeight {
    std::uint32_t tenant;
    double weight;
  };
  std::array<PlannedWeight, kPlannedTenants> planned_weights_;  // so many as are counted
  std::uint32_t planned_tenants_ = 0;
  std::array<Keep, kTiers> keeps_{};
  bool any_plan_ = false;
  bool any_keep_ = false;
  Nanos looked_at_ = 0;
};

struct PoolPlan {
  std::uint32_t dimensions = 0;
  std::array<std::array<char, kDimensionNameBytes>, kDimensions> names{};
  struct Tier {
    Amounts floor{}, share{}, ceiling{};
    std::array<std::array<double, kDimensions>, 3> parts{};
  };
  Amounts capacity{};
  std::array<Tier, kTiers> tiers{};
  std::array<std::uint32_t, kLabels> labels{};
  std::uint32_t tenants = 0;
  std::array<std::uint32_t, kTenantRows> tenant{};
  std::array<double, kTenantRows> weight{};

  void write(PoolTerms& terms) const;
};

// Gives the element its record; kOther: it has one that says something else.
Defined define_pool(Arena& arena, ElementIndex index, const PoolPlan& plan);

}  // namespace forelock::core
