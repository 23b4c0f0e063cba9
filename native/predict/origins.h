// Where forecasts are made to be compared with what came: from each of some beginnings of a series, one after the other (rolling origins:
// Tashman, Int. J. Forecasting 16(4), 2000). Asked for together they share what is the same in them.
#pragma once

#include <cstddef>

namespace forelock::predict {

struct Origins {
  std::size_t first;  // values that are known at the first
  std::size_t every;  // and so many more at each that follows
  std::size_t count;

  std::size_t length(std::size_t origin) const { return first + origin * every; }
  std::size_t last() const { return length(count - 1); }
};

}  // namespace forelock::predict
