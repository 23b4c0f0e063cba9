import { randomsOf } from '../../randoms.js'
import { inBatches, type Trace, type TraceRequest, type Who, Whos, type Workload } from '../trace.js'

/** What it is called where a trace is named. */
export const GENERATED = 'generated'

const POOL = 'slots'
const LENGTH_MS = 1_200_000
const SEED = 1
/** A second; ms. */
const BACKGROUND = { rate: 6, mean: 3_000, spread: 0.8 }
const BURST = { every: 30_000, least: 2_000, most: 6_000, rate: 12 }
const CALM_RATE = 0.2
const INTERACTIVE_MS = 400

/**
 * A day that never was, for whoever has none at hand: people come in bursts of some seconds, each half a minute or so, and in between hardly ever; jobs come
 * all the time, and take long. It says how things work, not how well they do on anybody's load.
 */
export function generated(): Trace {
  const whos = new Whos()
  const requests = [
    ...jobs(whos.of('jobs', undefined, 'background'), randomsOf(SEED)),
    ...people(whos.of('people', undefined, 'interactive'), randomsOf(SEED + 1))
  ].sort((a, b) => a.time - b.time)
  const load = requests.reduce((all, { duration }) => all + duration, 0) / LENGTH_MS
  return {
    name: GENERATED,
    title:
      'GENERATED, nobody recorded it: a pool of slots; people come in bursts (interactive), jobs all the time (background), for 20 minutes',
    scales: true,
    async workload(utilisation): Promise<Workload> {
      return {
        trace: GENERATED,
        setting: String(Math.round(100 * utilisation)),
        tiers: ['background', 'interactive'],
        pools: [{ name: POOL, capacity: { slots: Math.max(1, Math.round(load / utilisation)) }, unit: 1 }],
        buckets: [],
        busiest: [],
        sized: false,
        count: requests.length,
        batches: () => inBatches(requests)
      }
    }
  }
}

function jobs(who: Who, random: () => number): TraceRequest[] {
  // Log-normal, by Box and Muller.
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const { rate, mean, spread } = BACKGROUND
  const all: TraceRequest[] = []
  for (let time = gap(rate, random); time < LENGTH_MS; time += gap(rate, random)) {
    all.push(request(who, time, mean * Math.exp(spread * normal() - (spread * spread) / 2)))
  }
  return all
}

function people(who: Who, random: () => number): TraceRequest[] {
  const all: TraceRequest[] = []
  let time = 0
  const until = (end: number, rate: number) => {
    for (time += gap(rate, random); time < end; time += gap(rate, random)) {
      all.push(request(who, time, -INTERACTIVE_MS * Math.log(1 - random())))
    }
    time = end
  }
  while (time < LENGTH_MS) {
    until(Math.min(LENGTH_MS, time + BURST.every * (0.5 + random())), CALM_RATE)
    until(Math.min(LENGTH_MS, time + BURST.least + (BURST.most - BURST.least) * random()), BURST.rate)
  }
  return all
}

/** ms to the next one of so many a second, who do not know of each other. */
function gap(rate: number, random: () => number): number {
  return (-1000 / rate) * Math.log(1 - random())
}

const ONE = [1]

function request(who: Who, time: number, duration: number): TraceRequest {
  return { time, who, kind: 'pool', thing: POOL, amounts: ONE, shared: false, duration, input: undefined, peak: undefined }
}
