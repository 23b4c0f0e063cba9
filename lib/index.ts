export { GuardedHistory, type OpenHistoryOptions, openHistory } from './access/door.js'
export { type AccessAction, DEFAULT_POLICY, type Permission, type Policy } from './access/policy.js'
export type { NameRule, PrivacyOptions } from './access/privacy.js'
export type { AcquireAllOptions, LockPart, PartOptions } from './acquire-all.js'
export type { Admission } from './admission.js'
export type { AdmitOptions, AdmitParts, Refusal } from './admit.js'
export type { Agent, AgentOptions, AgentStatus } from './agent/agent.js'
export type { WarmCosts, WarmOptions } from './agent/warm-options.js'
export type { Allocation, GrowOptions } from './allocation.js'
export type { AskOptions, WaitOptions } from './ask.js'
export type { Bucket, BucketOptions, BucketView, PaceChange, PaceOptions } from './bucket.js'
export * from './errors/index.js'
export { type CalendarEntry, type CalendarEvent, type CalendarOptions, calendar } from './events/calendar.js'
export type { EventScope, TimedEvent } from './events/event.js'
export { type AcceptedEvent, Events, type EventsOptions } from './events/events.js'
export type { ReceivedEvent } from './events/schema.js'
export { type HeadersLike, type SignatureHeaders, signatureHeaders } from './events/signature.js'
export type { ForesightStatus } from './foresight/answers.js'
export type { CollisionNeed, CollisionProfile } from './foresight/collisions.js'
export type { Demand, DemandOptions, ModelFactory, ScopedEvent } from './foresight/demand.js'
export type { Foresight, ForesightEvents, ForesightOptions, UsageQuestion } from './foresight/face.js'
export type { EventReceiver } from './foresight/receiver.js'
export type { ElementOf, LikelyElement, LikelyOptions, ScoreOptions } from './foresight/scores.js'
export type { DemandOf, Measure } from './foresight/subject.js'
export type { Anomaly } from './foresight/usage-watch.js'
export type { Governor, GovernorEvents } from './governor.js'
export type { Grant, LockMode } from './grant.js'
export type { GrantSet } from './grant-set.js'
export type { RunCurve } from './history/curve-rows.js'
export { type DuckDbStoreOptions, openDuckDbStore } from './history/duckdb.js'
export { type MemoryStoreOptions, openMemoryStore } from './history/memory.js'
export type { StorePlace } from './history/place.js'
export { openPostgresStore, type PostgresStoreOptions } from './history/postgres.js'
export {
  type Bottleneck,
  type BottlenecksOptions,
  type CurvesOptions,
  type Frequent,
  type FrequentOptions,
  type History,
  historyOf,
  type Peak,
  type PeaksOptions,
  type PredictionScores,
  type PredictionsOptions,
  type QuantileGroup,
  type QuantilesOptions,
  type RunsOptions,
  type Span,
  type Summary,
  type UsageOptions,
  type UsageSummaries
} from './history/queries.js'
export type { RecorderOptions } from './history/record.js'
export type { Recorder, RecorderStatus } from './history/recorder.js'
export type {
  ActionRow,
  AuditRow,
  EstimateRow,
  EventRow,
  HostRow,
  LossRow,
  RawTable,
  RollupRow,
  Row,
  RunRow,
  TableName
} from './history/rows.js'
export type {
  Dimension,
  ExactGroup,
  Flushed,
  Group,
  Grouping,
  GroupNames,
  Health,
  HistoryStore,
  Keep,
  Recovered,
  Retention,
  RowCounts,
  Selection,
  Source,
  SqlOptions,
  SqlValue,
  StoreOptions,
  StoreSize
} from './history/store.js'
export type { Client, LockHolder, LockSnapshot, LockWaiter } from './inspect.js'
export type { Item } from './item.js'
export type { KeyedBuckets, KeyedBucketsOptions } from './keyed-buckets.js'
export type { LeakReport } from './leak-report.js'
export type { AdaptOptions } from './limit/options.js'
export type { AdaptMode, AdaptReport } from './limit/report.js'
export type { Lock } from './lock.js'
export type { After } from './metering/after.js'
export { Attribution } from './metering/attribution.js'
export { ChildMeter, type ChildMeterOptions } from './metering/child.js'
export type { Usage, UsageField } from './metering/counters.js'
export { type HostSample, type Stalled, sampleHost } from './metering/host.js'
export { Meter, type MeterMethods, type MeterOptions } from './metering/meter.js'
export type { Sampler, SamplerOptions } from './metering/sampler.js'
export type { MeterLevel, MeterScopeOption } from './metering/scope.js'
export { usageBetween } from './metering/usage.js'
export { sampleUsage, type UsageSample, type UsageSamplerOptions } from './metering/usage-sampler.js'
export { WorkerMeter } from './metering/worker.js'
export type { NoticesHeard } from './notice-board.js'
export type { ContendedKind, ContentionNotice, PlanNotice, WarmNotice } from './notices.js'
export { open, unlink } from './open.js'
export type { Capacity, OpenOptions } from './open-options.js'
export type { BucketState, Pace, Taken } from './pace.js'
export type { EscalationPlan, HoldPlan, KeepPlan, Plan, PlanBook, PlanScore, PlanView, ReservePlan, SharePlan } from './plans.js'
export type { AllocateOptions, Pool, PoolUsage, PoolUsage as ResourcePool, TryAllocateOptions } from './pool.js'
export type { AmountsByName, Part, PoolOptions, TierPart } from './pool-terms.js'
export { AnomalyDetector, type AnomalyOptions, type Evidence, type Strangeness } from './predict/anomaly.js'
export { type Arrival, Arrivals, type ArrivalsOptions } from './predict/arrivals.js'
export type { ForecasterOptions, Weight } from './predict/conformal.js'
export { type Collider, Contention, type ContentionOptions, type ContentionPrediction } from './predict/contention.js'
export type { ContentionEvent, ContentionMode, ContentionNeed, ContentionProfile } from './predict/contention-events.js'
export type { HeldUntil, Holder } from './predict/contention-held.js'
export type { Collision, ContentionMap } from './predict/contention-map.js'
export { Ensemble, type EnsembleOptions } from './predict/ensemble.js'
export { type EventEffect, EventForecaster, type EventForecasterOptions, type StreamEffect } from './predict/event-forecaster.js'
export type { Forecast, Forecaster, Model } from './predict/forecaster.js'
export { type Grid, type GridOptions, gridOf, type Point } from './predict/grid.js'
export type { Health as ModelHealth } from './predict/health.js'
export type { LagQuantiles } from './predict/lags.js'
export { Retraining, type RetrainingOptions, type RetrainingStatus } from './predict/retraining.js'
export { type HealthChange, type ModelScore, type ScoredPrediction, Scorekeeper, type ScorekeeperOptions } from './predict/scorekeeper.js'
export { type Next, Sequences, type SequencesOptions, type Step } from './predict/sequences.js'
export { Single } from './predict/single.js'
export { NumericStream, type StreamOptions } from './predict/stream.js'
export { type AugursOptions, augursMembers } from './predict/trained/augurs.js'
export { Recurrent, type RecurrentOptions } from './predict/trained/recurrent.js'
export { type Occurrence, type Trigger, Triggers, type TriggersListOptions, type TriggersOptions } from './predict/triggers.js'
export {
  type DeclaredAmount,
  type UsageAmounts,
  UsageModel,
  type UsageModelOptions,
  type UsageRequest
} from './predict/usage.js'
export type { UsageInput } from './predict/usage-input.js'
export type { UsagePrediction } from './predict/usage-quantity.js'
export type { OfferOptions, PushOptions, Queue, QueueOptions, QueueWaitOptions } from './queue.js'
export { type RateLimitHeaders, type RateLimitPolicy, type RateLimitState, rateLimitHeaders } from './rate-limit-headers.js'
export type { RecordData } from './record.js'
export type { LockRequest } from './request.js'
export type { Semaphore, SemaphoreOptions } from './semaphore.js'
export type {
  Basis,
  Percentiles,
  ShadowAdmission,
  ShadowAnswer,
  ShadowDisplaced,
  ShadowHolder,
  ShadowParty,
  ShadowPlan,
  ShadowWaiter
} from './shadow/answer.js'
export type { Likeness } from './shadow/course.js'
export type { ShadowedRule } from './shadow/dry.js'
export type { Estimate } from './shadow/estimate.js'
export { type EstimateListener, type EstimateScore, scoreEstimate } from './shadow/estimates.js'
export type { Shadow } from './shadow/face.js'
export type {
  ForecastField,
  ForecastPoint,
  LikelyAction,
  LikelyHold,
  Quantiles90,
  RunForecast,
  RunForecast as PredictionOutput,
  UsageForecast
} from './shadow/forecast.js'
export type { LockShadowOptions, PoolShadowOptions, ShadowOptions } from './shadow/options.js'
export type { PredictedPoint, Prediction, PredictionScore } from './shadow/prediction.js'
export type { PredictionListener } from './shadow/predictions.js'
export type { Replica, ReplicaOptions, ReplicaRun, ReplicaView } from './shadow/replica.js'
export type { ElementStats, KindStats, Quantiles, Stats, StatsOptions, TierStats } from './stats.js'
export { decodeNotes, decodeRecord, NOTE_BYTES_MAX, RECORD_BYTES, type TelemetryNote, type TelemetryRecord } from './telemetry/record.js'
export type { Telemetry } from './telemetry.js'
export type { AcquireOptions, LockDefaults, TryOptions } from './terms.js'
export { GiB, KiB, MiB, TiB } from './units.js'
export type { OnWarm, WarmCallCounts } from './warm-calls.js'
export type { Lock as WebLock, LockInfo, LockManager, LockManagerSnapshot, LockOptions } from './web-locks.js'
export type { Action } from './workflow/action.js'
export type { Prices } from './workflow/cost.js'
export type { InputProfile } from './workflow/input.js'
export type { LearningOptions, OnScale, ScaleRequest, WhenFull } from './workflow/learning.js'
export type { RunScope } from './workflow/metering.js'
export type { MeteringOptions, Needs, RunOptions, RunShadowOptions, WorkflowOptions } from './workflow/options.js'
export { dataPoints, type ShadowDataPoint } from './workflow/points.js'
export type { ActionProfile, DataProfile, Given, GivenData, GivenProfile, ResourceProfile, WorkflowProfile } from './workflow/profile.js'
export type { ReadinessStatus } from './workflow/readiness.js'
export type {
  ActionRecord,
  BookedSums,
  DataMoved,
  DataPattern,
  Outcome,
  PastRecord,
  RunRecord,
  SizedRecord,
  UsageCurve
} from './workflow/record.js'
export type { Remedy, RemedyRecord, RemedyStatus } from './workflow/remedies.js'
export type { RemedyWorth } from './workflow/remedy-effects.js'
export type { RemedyKind, RemedyMode, RemedyOptions } from './workflow/remedy-options.js'
export type { ActionOptions, Run } from './workflow/run.js'
export type { Spread } from './workflow/samples.js'
export { findSimilar, type Similar } from './workflow/similar.js'
export type { SizingStatus } from './workflow/sizing.js'
export type { Workflow, WorkflowEvents } from './workflow/workflow.js'
