/** Something that is known to happen, or to have happened, at a time: a campaign, a release, a holiday. */
export interface TimedEvent {
  /** what it is called by: events of one type are taken to have like effects */
  readonly type: string
  /** ms since the Unix epoch */
  readonly start: number
  /** ms since the Unix epoch, >= start; default: it is a moment */
  readonly end?: number | undefined
  /**
   * what it is expected to do, as a factor: 1.5 is half as much again, 1 nothing, 0.2 four fifths less. Believed as long as nothing better has been
   * learnt. Default: nothing is expected
   */
  readonly weight?: number | undefined
  /** how large it is, in units of its type's own, as guests or a budget: an effect is in proportion to it; default 1 */
  readonly value?: number | undefined
  /** what it is told apart by: one of the same id takes its place */
  readonly id?: string | undefined
}

/** To whom an event matters; default to all. */
export interface EventScope {
  readonly workflow?: string | undefined
  readonly tenant?: string | undefined
}
