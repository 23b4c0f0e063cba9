// Temporary: the real one is being written.
export const USAGE_FIELDS = [
  'wall',
  'cpu',
  'cpuUser',
  'cpuSystem',
  'memory',
  'diskRead',
  'diskWritten',
  'networkReceived',
  'networkSent',
  'contextSwitches',
  'pageFaults',
  'instructions',
  'cycles'
] as const
export type UsageField = (typeof USAGE_FIELDS)[number]
export type Usage = { readonly [K in UsageField]?: number }
export type MeterScope = 'thread' | 'process'
export class Meter {
  readonly size = 2
  constructor(
    readonly scope: MeterScope,
    readonly level: 'time' | 'all'
  ) {}
  read(into: Float64Array, at: number): void {
    into[at] = performance.now()
    const { user, system } = process.cpuUsage()
    into[at + 1] = (user + system) / 1000
  }
  close(): void {}
}
export function usageBetween(_: Meter, rows: Float64Array, from: number, to: number): Usage {
  return { wall: (rows[to] as number) - (rows[from] as number), cpu: (rows[to + 1] as number) - (rows[from + 1] as number) }
}
