// How like a series is to itself some steps before.
#pragma once

#include <span>

namespace forelock::predict {

// The sample autocorrelation at lags 0, 1, ... out.size() - 1 (Box and Jenkins, 1970; divided by the whole sum of squares), 0 where the
// lag reaches beyond the values, and everywhere for values that do not vary. False: some are not finite.
bool autocorrelation(std::span<const double> values, std::span<double> out);

}  // namespace forelock::predict
