import { monitorEventLoopDelay } from 'node:perf_hooks'
import { NS_PER_MS } from '../units.js'

const RESOLUTION_MS = 10
const EVERY_MS = 1_000

/**
 * Tells every second by how many ms the event loop of this thread came late to its timers, at the 99th percentile. Keeps no process alive.
 *
 * @returns ends it
 */
export function watchLoop(tell: (p99: number) => void): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const timer = setInterval(() => {
    // What it keeps is the time from one of its timers to the next, which is meant to be the resolution.
    if (delay.count > 0) tell(Math.max(0, delay.percentile(99) / NS_PER_MS - RESOLUTION_MS))
    delay.reset()
  }, EVERY_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    delay.disable()
  }
}
