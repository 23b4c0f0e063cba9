import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { optional } from '../../history/optional.js'
import { here } from '../../native/here.js'
import { importModule } from '../../native/import-module.js'
import type { LineFit } from './fits.js'

/** An engine that is broken from now on. */
export class TrapError extends Error {}

/** Of WebAssembly; and of what is freed after it. */
const TRAPS = ['RuntimeError', 'SuppressedError']

type Line = (fit: LineFit) => Float64Array | undefined
type Mstl = typeof import('@bsull/augurs/mstl')
type Ets = typeof import('@bsull/augurs/ets')
type Prophet = typeof import('@bsull/augurs/prophet')
type Stan = typeof import('@bsull/augurs-prophet-wasmstan')

const AUGURS = '@bsull/augurs'
const STAN = '@bsull/augurs-prophet-wasmstan'
/** Prophet counts in seconds and days: a step is taken for an hour. */
const STEP_S = 3_600
const DAY_S = 86_400
/** As Prophet has it for a year; of a short season not more than half its steps. */
const FOURIER_ORDER = 10

const ownRequire = createRequire(join(here, 'here.js'))
const loaded = new Map<LineFit['kind'], Promise<Line>>()

/**
 * A model of augurs (grafana/augurs), in WebAssembly: ETS (Hyndman et al., Int. J. Forecasting 18(3), 2002; without seasons), MSTL (Bandara, Hyndman
 * and Bergmeir 2021) with ETS for what is left of the seasons, or Prophet (Taylor and Letham, The American Statistician 72(1), 2018).
 *
 * @throws LoadError that names the command which installs it
 */
export function loadAugurs(kind: LineFit['kind']): Promise<Line> {
  const line = loaded.get(kind) ?? LOAD[kind]()
  loaded.set(kind, line)
  return line
}

const LOAD: Readonly<Record<LineFit['kind'], () => Promise<Line>>> = {
  async mstl() {
    const { MSTL } = await engine<Mstl>('mstl')
    return ({ values, periods, steps }) =>
      said(() => {
        using model = MSTL.ets([...periods])
        model.fit(values)
        return model.predict(steps).point
      })
  },
  async ets() {
    const { AutoETS } = await engine<Ets>('ets')
    return ({ values, steps }) =>
      said(() => {
        using model = new AutoETS(1, 'ZZN')
        model.fit(values)
        return model.predict(steps).point
      })
  },
  async prophet() {
    const { Prophet } = await engine<Prophet>('prophet')
    const { optimizer } = await optional(STAN, () => importModule<Stan>(STAN), 'Prophet')
    const off = { type: 'manual', enabled: false } as const
    return ({ values, periods, steps }) =>
      said(() => {
        using model = new Prophet({
          optimizer,
          yearlySeasonality: off,
          weeklySeasonality: off,
          dailySeasonality: off,
          uncertaintySamples: 1
        })
        for (const period of periods) {
          const fourierOrder = Math.max(1, Math.min(FOURIER_ORDER, period >> 1))
          model.addSeasonality(`of ${period}`, { period: (period * STEP_S) / DAY_S, fourierOrder })
        }
        const { length } = values
        model.fit({ ds: timesFrom(0, length), y: values }, { seed: 1 })
        return model.predict({ ds: timesFrom(length, steps) }).yhat.point
      })
  }
}

async function engine<T extends { initSync(module: { module: Uint8Array }): unknown }>(name: string): Promise<T> {
  return optional(
    AUGURS,
    async () => {
      const engine = await importModule<T>(`${AUGURS}/${name}`)
      // What it does by itself is to fetch a file's URL, which Node does not.
      const file = join(dirname(ownRequire.resolve(AUGURS)), `${name}_bg.wasm`)
      engine.initSync({ module: await readFile(file) })
      return engine
    },
    'a model of augurs'
  )
}

function timesFrom(first: number, length: number): number[] {
  return Array.from({ length }, (_, i) => (first + i) * STEP_S)
}

/** What a model says, if it can: it throws where it finds nothing that fits. */
function said(line: () => readonly number[]): Float64Array | undefined {
  const found = attempt(line)
  return found?.every(Number.isFinite) === true ? Float64Array.from(found) : undefined
}

function attempt(line: () => readonly number[]): readonly number[] | undefined {
  try {
    return line()
  } catch (error) {
    // An instance that trapped is broken, and so may be all it is asked for later.
    if (error instanceof Error && TRAPS.includes(error.name)) throw new TrapError(error.message, { cause: error })
    return undefined // it has nothing to say of these values, and others have
  }
}
