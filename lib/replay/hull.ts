const CURVE_STEPS = 16

export type Point = readonly [x: number, y: number]

/**
 * The lower convex hull of points, from left to right (Andrew's monotone chain, 1979): what a mixture of static settings reaches. Beyond its
 * ends nothing is known.
 */
export function lowerHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort(([ax, ay], [bx, by]) => ax - bx || ay - by)
  const hull: Point[] = []
  for (const point of sorted) {
    if (hull.at(-1)?.[0] === point[0]) continue // the lower of two above each other came first
    while (hull.length >= 2 && !turnsLeft(hull.at(-2) as Point, hull.at(-1) as Point, point)) hull.pop()
    hull.push(point)
  }
  return hull
}

/** The hull's y at x; undefined to the left of it; to the right of it as low as it ends, for who pays more gets no less. */
export function hullAt(hull: readonly Point[], x: number): number | undefined {
  const first = hull[0]
  if (first === undefined || x < first[0]) return undefined
  for (let i = 1; i < hull.length; i++) {
    const [left, right] = [hull[i - 1] as Point, hull[i] as Point]
    if (x <= right[0]) return left[1] + ((right[1] - left[1]) * (x - left[0])) / (right[0] - left[0])
  }
  return (hull.at(-1) as Point)[1]
}

/**
 * Whether a point is better than every mixture of static settings that costs the lower tiers as much: below their lower convex hull at its
 * own x. To the left of all of them it has to be no higher than the leftmost.
 *
 * @param point wait of the lower tier, wait of the top tier
 */
export function belowHull(point: Point, statics: readonly Point[]): boolean {
  const hull = lowerHull(statics)
  const at = hullAt(hull, point[0])
  return at === undefined ? hull[0] !== undefined && point[1] <= hull[0][1] : point[1] < at
}

/** The hull with points between its corners, so that its edges are as straight where x is drawn by factors as they are. */
export function hullCurve(points: readonly Point[]): Point[] {
  const hull = lowerHull(points)
  return hull.flatMap((point, i) => {
    const next = hull[i + 1]
    if (next === undefined) return [point]
    return Array.from({ length: CURVE_STEPS }, (_, step): Point => {
      const x = point[0] + (next[0] - point[0]) * (step / CURVE_STEPS) ** 2
      return [x, hullAt(hull, x) as number]
    })
  })
}

function turnsLeft([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): boolean {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) > 0
}
