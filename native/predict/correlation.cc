#include "predict/correlation.h"

#include <cmath>
#include <vector>

#include "predict/range.h"

namespace forelock::predict {

namespace {

// Four sums at a time: one alone waits for each addition to end before the next.
double dot(const double* a, const double* b, std::size_t n) {
  double sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (std::size_t k = 0; k < 4; k++) sums[k] += a[i + k] * b[i + k];
  }
  for (; i < n; i++) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

bool autocorrelation(std::span<const double> values, std::span<double> out) {
  const Range range(values);
  if (!range.finite) return false;
  std::vector<double> y(values.size());
  double mean = 0;
  for (std::size_t i = 0; i < y.size(); i++) mean += y[i] = range.into(values[i]);
  mean /= static_cast<double>(y.size());
  for (double& value : y) value -= mean;
  const double whole = dot(y.data(), y.data(), y.size());
  for (std::size_t lag = 0; lag < out.size(); lag++) {
    const bool known = lag < y.size() && whole > 1e-12 * static_cast<double>(y.size());
    out[lag] = known ? dot(y.data(), y.data() + lag, y.size() - lag) / whole : 0;
  }
  return true;
}

}  // namespace forelock::predict
