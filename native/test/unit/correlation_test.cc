#include "predict/correlation.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "test/check.h"

using namespace forelock::predict;

TEST_CASE("is 1 with itself, and high again a period later") {
  std::vector<double> y;
  for (int t = 0; t < 480; t++) y.push_back(1e200 * (3 + std::sin(2 * std::numbers::pi * t / 24)));
  double out[49];
  CHECK(autocorrelation(y, out));
  CHECK(std::fabs(out[0] - 1) < 1e-12);
  CHECK(std::fabs(out[24] - 0.95) < 0.01);  // of 480 products there are 456
  CHECK(out[12] < -0.9);
}

TEST_CASE("equals the sums written out") {
  const std::vector<double> y = {1, 4, 2, 8, 5, 7, 1};
  const double mean = 4;
  double out[4];
  CHECK(autocorrelation(y, out));
  double whole = 0;
  for (const double value : y) whole += (value - mean) * (value - mean);
  for (std::size_t lag = 0; lag < 4; lag++) {
    double sum = 0;
    for (std::size_t t = 0; t + lag < y.size(); t++) sum += (y[t] - mean) * (y[t + lag] - mean);
    CHECK(std::fabs(out[lag] - sum / whole) < 1e-12);
  }
}

TEST_CASE("is 0 where there is nothing to compare") {
  double out[10];
  CHECK(autocorrelation(std::vector<double>{1, 2, 3}, out));
  for (int lag = 3; lag < 10; lag++) CHECK_EQUAL(out[lag], 0.0);
  CHECK(autocorrelation(std::vector<double>(20, 5), out));
  for (const double one : out) CHECK_EQUAL(one, 0.0);
}

TEST_CASE("refuses none, and what is no number") {
  double out[2];
  CHECK(!autocorrelation(std::vector<double>(), out));
  CHECK(!autocorrelation(std::vector<double>{1, std::numeric_limits<double>::quiet_NaN()}, out));
}

TEST_MAIN()
