#include "predict/correlation.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "predict/pair.h"
#include "predict/range.h"

namespace forelock::predict {

namespace {

// A line times itself moved by a lag, summed up. Four sums, of which each waits for its last addition to end before the next.
struct Products {
  void add(const double* a, const double* b) {
    front += pair_at(a) * pair_at(b);
    back += pair_at(a + 2) * pair_at(b + 2);
  }

  // All up to the end of the line, where so many were added.
  double total(const std::vector<double>& y, std::size_t lag, std::size_t added) const {
    const std::size_t n = y.size() - lag;
    Products sums = *this;
    std::size_t i = added;
    for (; i + 4 <= n; i += 4) sums.add(&y[i], &y[i + lag]);
    double first = sums.front[0];
    for (; i < n; i++) first += y[i] * y[i + lag];
    return (first + sums.front[1]) + (sums.back[0] + sums.back[1]);
  }

  Pair front = {};
  Pair back = {};
};

}  // namespace

bool autocorrelation(std::span<const double> values, std::span<double> out) {
  const Range range(values);
  if (!range.finite) return false;
  std::vector<double> y(values.size());
  double mean = 0;
  for (std::size_t i = 0; i < y.size(); i++) mean += y[i] = range.into(values[i]);
  mean /= static_cast<double>(y.size());
  for (double& value : y) value -= mean;
  const double whole = Products{}.total(y, 0, 0);
  const bool varies = whole > 1e-12 * static_cast<double>(y.size());
  const std::size_t known = varies ? std::min(out.size(), y.size()) : 0;
  // Two lags at a time: there is more to do while sums wait, and half of the numbers are read for both.
  std::size_t lag = 0;
  for (; lag + 2 <= known; lag += 2) {
    Products even;
    Products odd;
    std::size_t i = 0;
    for (; i + 4 < y.size() - lag; i += 4) {
      even.add(&y[i], &y[i + lag]);
      odd.add(&y[i], &y[i + lag + 1]);
    }
    out[lag] = even.total(y, lag, i) / whole;
    out[lag + 1] = odd.total(y, lag + 1, i) / whole;
  }
  if (lag < known) {
    out[lag] = Products{}.total(y, lag, 0) / whole;
    lag++;
  }
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(lag), out.end(), 0);
  return true;
}

}  // namespace forelock::predict
