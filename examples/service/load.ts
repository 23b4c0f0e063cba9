import { setTimeout as sleep } from 'node:timers/promises'
import { randomsOf } from '../../lib/randoms.js'
import type { Answer, Kind } from './messages.js'

/** Requests a second: of jobs always, of people in the burst that begins each period. */
const JOBS_RATE = 5
const PEOPLE_RATE = 12
const PERIOD_MS = 8_000
const BURST_MS = 2_500

export interface Due {
  readonly time: number
  readonly kind: Kind
}

/** The same each time: when what is asked for, ms. */
export function schedule(ms: number): Due[] {
  const random = randomsOf(1)
  const all: Due[] = []
  const gap = (rate: number) => (-1000 / rate) * Math.log(1 - random())
  for (let time = gap(JOBS_RATE); time < ms; time += gap(JOBS_RATE)) all.push({ time, kind: 'jobs' })
  for (let began = 0; began < ms; began += PERIOD_MS) {
    const end = Math.min(ms, began + BURST_MS)
    for (let time = began + gap(PEOPLE_RATE); time < end; time += gap(PEOPLE_RATE)) all.push({ time, kind: 'people' })
  }
  return all.sort((a, b) => a.time - b.time)
}

/** Asks for all of it at its time, however long the answers take. */
export async function ask(url: string, due: readonly Due[]): Promise<Record<Kind, Answer[]>> {
  const answers: Record<Kind, Answer[]> = { people: [], jobs: [] }
  const began = performance.now()
  const asked: Promise<void>[] = []
  for (const { time, kind } of due) {
    const early = began + time - performance.now()
    if (early > 0) await sleep(early)
    asked.push(
      fetch(`${url}${kind}`).then(async response => {
        if (!response.ok) throw new Error(`${kind}: ${response.status}`)
        answers[kind].push((await response.json()) as Answer)
      })
    )
  }
  await Promise.all(asked)
  return answers
}
