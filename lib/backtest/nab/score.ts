/** What a profile weighs: config/profiles.json of the benchmark. */
export interface Profile {
  readonly tpWeight: number
  readonly fpWeight: number
  readonly fnWeight: number
}

/** The labels of one file: windows from the first to the last row, both within, in order. */
export interface Labelled {
  readonly rows: number
  readonly windows: readonly (readonly [first: number, last: number])[]
}

/** What a detector says of one file: a score for each row, the higher the stranger. */
export interface Judged extends Labelled {
  readonly scores: ArrayLike<number>
}

export interface Best {
  /** between that of finding nothing, 0, and that of finding each window at its first row and nothing else, 100 */
  readonly score: number
  /** rows that score so high or higher count as detected */
  readonly threshold: number
  /** windows that were found */
  readonly found: number
  /** rows outside of any window that were detected */
  readonly wrong: number
}

const PROBATION_PART = 0.15
const PROBATION_MOST = 5_000
/** No score of a row is so high: nothing is detected. */
const NOTHING = 1.1

/** Rows at the beginning of a file in which a detector may learn; they are not judged. */
export function probation(rows: number): number {
  return Math.floor(Math.min(PROBATION_PART * rows, PROBATION_PART * PROBATION_MOST))
}

/**
 * What detecting each row is worth, before any window is missed: more the earlier in a window, and less than nothing outside, least far behind
 * one (Lavin and Ahmad, Evaluating Real-time Anomaly Detection Algorithms, ICMLA 2015; as its version 1.1 counts rows).
 */
export function rowValues({ rows, windows }: Labelled, { tpWeight, fpWeight }: Profile): Float64Array {
  const values = new Float64Array(rows)
  let at = 0
  for (const [i, [first, last]] of windows.entries()) {
    outside(values, at, first, windows[i - 1], fpWeight)
    const width = last - first + 1
    for (let row = first; row <= last; row++) values[row] = (sigmoid(-(last - row + 1) / width) * tpWeight) / sigmoid(-1)
    at = last + 1
  }
  outside(values, at, rows, windows[windows.length - 1], fpWeight)
  return values
}

function outside(values: Float64Array, from: number, to: number, before: readonly [number, number] | undefined, weight: number): void {
  for (let row = from; row < to; row++) {
    values[row] = weight * (before === undefined ? -1 : sigmoid((row - before[1]) / (before[1] - before[0])))
  }
}

function sigmoid(position: number): number {
  return position >= 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1
}

/** The corpus at one threshold: the one that suits a profile best, as the benchmark has it. */
export function bestScore(files: readonly Judged[], profile: Profile): Best {
  return sweep(files, profile).best
}

/** The same at a threshold that was chosen elsewhere. */
export function scoreAt(files: readonly Judged[], profile: Profile, threshold: number): Best {
  return sweep(files, profile, threshold).best
}

function sweep(files: readonly Judged[], profile: Profile, only?: number): { best: Best } {
  const rows = rowsOf(files, profile)
  const windows = files.reduce((sum, file) => sum + file.windows.length, 0)
  const nothing = -profile.fnWeight * windows
  const perfect = profile.tpWeight * windows
  const kept = new Map<number, number>()
  let [found, wrong, raw] = [0, 0, nothing]
  let best = { raw, threshold: NOTHING, found, wrong }
  for (let at = 0; at < rows.length; ) {
    const threshold = (rows[at] as Row).score
    if (only !== undefined && threshold < only) break
    for (; at < rows.length && (rows[at] as Row).score === threshold; at++) {
      const { window, value } = rows[at] as Row
      if (window < 0) {
        wrong++
        raw += value
        continue
      }
      const before = kept.get(window)
      if (before === undefined) found++
      const now = Math.max(before ?? -profile.fnWeight, value)
      raw += now - (before ?? -profile.fnWeight)
      kept.set(window, now)
    }
    if (only !== undefined || raw > best.raw) best = { raw, threshold, found, wrong }
  }
  const { threshold, ...counts } = best
  const score = windows === 0 ? Number.NaN : (100 * (best.raw - nothing)) / (perfect - nothing)
  return { best: { score, threshold: only ?? threshold, found: counts.found, wrong: counts.wrong } }
}

interface Row {
  readonly score: number
  readonly value: number
  /** among all windows of the corpus; -1: in none */
  readonly window: number
}

/** All rows that are judged, those with the highest scores first. */
function rowsOf(files: readonly Judged[], profile: Profile): Row[] {
  const all: Row[] = []
  let before = 0
  for (const file of files) {
    const values = rowValues(file, profile)
    let next = 0
    for (let row = 0; row < file.rows; row++) {
      while (next < file.windows.length && row > (file.windows[next] as readonly [number, number])[1]) next++
      const within = next < file.windows.length && row >= (file.windows[next] as readonly [number, number])[0]
      if (row < probation(file.rows)) continue
      all.push({ score: file.scores[row] as number, value: values[row] as number, window: within ? before + next : -1 })
    }
    before += file.windows.length
  }
  return all.sort((a, b) => b.score - a.score)
}
