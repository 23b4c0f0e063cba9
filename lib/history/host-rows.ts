import { hostname } from 'node:os'
import type { HostSample, Stalled } from '../metering/host.js'
import type { HostRow } from './rows.js'

/** @param eventLoopDelay of the thread that is told about, ms; of the sample's own unless it is given */
export function hostRow(sample: HostSample, eventLoopDelay = sample.eventLoopDelay?.p99): HostRow {
  const { time, wall, cpu, memory, diskRead, diskWritten, networkReceived, networkSent, pressure } = sample
  const percent = (stalled: Stalled | undefined) => (stalled === undefined || wall === 0 ? undefined : (stalled.some / wall) * 100)
  return {
    time,
    host: hostname(),
    cpu,
    pressureCpu: percent(pressure?.cpu),
    pressureMemory: percent(pressure?.memory),
    pressureIo: percent(pressure?.io),
    memory,
    diskRead,
    diskWritten,
    networkReceived,
    networkSent,
    eventLoopDelay
  }
}
