import type { UsageAmounts } from '../predict/usage.js'
import type { ActionRecord, RunRecord } from './record.js'

const MILLI = 1_000
const MS_PER_S = 1_000

/** What work took, as pools count it: cpu (millicores), memory (bytes), disk, network (bytes/s), storage (bytes written), duration (ms). */
export function amountsOf({ duration, usage }: Pick<RunRecord | ActionRecord, 'duration' | 'usage'>): UsageAmounts {
  const { wall = duration, cpu, memory, memoryPeak, diskRead, diskWritten, networkReceived, networkSent } = usage ?? {}
  const perSecond = (...bytes: (number | undefined)[]) => {
    const known = bytes.filter(one => one !== undefined)
    return known.length === 0 || !(wall > 0) ? undefined : (MS_PER_S * known.reduce((sum, one) => sum + one, 0)) / wall
  }
  return {
    cpu: cpu === undefined || !(wall > 0) ? undefined : (MILLI * cpu) / wall,
    memory: memoryPeak ?? memory,
    disk: perSecond(diskRead, diskWritten),
    network: perSecond(networkReceived, networkSent),
    storage: diskWritten,
    duration
  }
}
