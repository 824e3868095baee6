// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>Sets what this session is told of; answered by <c>ok</c>. An empty list ends all of it.</summary>
    public sealed class SubscribeMessage : RequestMessage
    {
        /// <summary><c>replies</c>: all replies and actions of the world. <c>residency</c>: <c>moves</c>. <c>npcs</c>: <c>npc_states</c>. <c>stats</c>: <c>stats</c>.</summary>
        public Topic[] Topics { get; set; } = System.Array.Empty<Topic>();
        /// <summary>Wall time between two <c>npc_states</c>, and between two <c>stats</c>.</summary>
        public double IntervalS { get; set; } = 0.5;

        public override string Type => "subscribe";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Enums("topics", System.Array.ConvertAll(Topics, i => (int)i), 0, 4, WireNames.Topic);
            w.Real("interval_s", IntervalS, 0.05, 60);
        }
    }

    /// <summary>Asks why an NPC has the distance it has; answered by <c>explanation</c>.</summary>
    public sealed class ExplainMessage : RequestMessage
    {
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }

        public override string Type => "explain";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("npc", Npc, 1, 64, TextForm.Id);
        }
    }

    /// <summary>Sets by which policy the server moves state, in all worlds; answered by <c>ok</c>.</summary>
    public sealed class SetPolicyMessage : RequestMessage
    {
        /// <summary><c>distance</c>: prefetch and evict by invocation distance. <c>naive</c>: park the least recently used, load on demand. <c>lru</c>: drop it and rebuild it on demand; what is parked already stays until it is called.</summary>
        public PolicyName Policy { get; set; }

        public override string Type => "set_policy";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Enum("policy", (int)Policy, WireNames.PolicyName);
        }
    }

    /// <summary>
    /// Moves every NPC away from a replica of the engine, in all worlds; answered by <c>ok</c> at once.
    ///
    /// <c>stats</c> tells when it is drained: then it may be stopped.
    /// </summary>
    public sealed class DrainReplicaMessage : RequestMessage
    {
        /// <summary>Its name, as <c>stats</c> has it.</summary>
        public string Replica { get; set; }
        /// <summary>True: it is taken into use again.</summary>
        public bool Undo { get; set; }

        public override string Type => "drain_replica";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("replica", Replica, 1, 300, TextForm.Any);
            w.Flag("undo", Undo);
        }
    }

    /// <summary>One estimator's distance for an NPC, and its reason.</summary>
    public sealed class EstimatorView
    {
        /// <summary>"conversation", "schedule", "proximity", "encounter", "history", "chain" or another.</summary>
        public string Name { get; set; }
        /// <summary>null = no expectation.</summary>
        public double? DistanceS { get; set; }
        /// <summary>One sentence for a developer.</summary>
        public string Why { get; set; }

        internal static EstimatorView Parse(FieldReader f)
        {
            var p = new EstimatorView();
            p.Name = f.Text("name", 0, int.MaxValue, TextForm.Any);
            if (f.Has("distance_s")) p.DistanceS = f.Real("distance_s", double.MinValue, double.MaxValue);
            p.Why = f.Text("why", 0, int.MaxValue, TextForm.Any);
            return p;
        }
    }

    /// <summary>A line that an NPC remembers: heard, overheard, said, or what became of an action.</summary>
    public sealed class RememberedLine
    {
        /// <summary>null = the NPC itself.</summary>
        public string Speaker { get; set; }
        /// <summary>The line's first 300 characters.</summary>
        public string Text { get; set; }

        internal static RememberedLine Parse(FieldReader f)
        {
            var p = new RememberedLine();
            if (f.Has("speaker")) p.Speaker = f.Text("speaker", 0, int.MaxValue, TextForm.Any);
            p.Text = f.Text("text", 0, int.MaxValue, TextForm.Any);
            return p;
        }
    }

    /// <summary>An NPC's distance, what each estimator says of it, and what the NPC remembers last.</summary>
    public sealed class ExplanationMessage : ReliableMessage
    {
        /// <summary>The request this answers.</summary>
        public long Id { get; set; }
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>Game time of the estimate, s.</summary>
        public double GameTimeS { get; set; }
        /// <summary>null = no expectation.</summary>
        public double? DistanceS { get; set; }
        /// <summary>The estimator that won; null if none expects a call.</summary>
        public string Estimator { get; set; }
        /// <summary>Where the NPC's prefix lies.</summary>
        public Tier Tier { get; set; }
        /// <summary>What each estimator says.</summary>
        public EstimatorView[] Estimators { get; set; } = System.Array.Empty<EstimatorView>();
        /// <summary>Reason why the NPC cannot speak; null = nothing is known against it.</summary>
        public string Note { get; set; }
        /// <summary>The latest lines that the server has at hand, at most 8, the oldest first; null = none.</summary>
        public RememberedLine[] Remembers { get; set; }
        /// <summary>Chances of a call within some seconds, for a developer; null = too few calls to say.</summary>
        public string Outlook { get; set; }

        public override string Type => "explanation";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Id = f.Integer("id", 1, 9007199254740991);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            GameTimeS = f.Real("game_time_s", double.MinValue, double.MaxValue);
            if (f.Has("distance_s")) DistanceS = f.Real("distance_s", double.MinValue, double.MaxValue);
            if (f.Has("estimator")) Estimator = f.Text("estimator", 0, int.MaxValue, TextForm.Any);
            Tier = (Tier)f.Enum("tier", WireNames.Tier);
            Estimators = f.Parts("estimators", 0, int.MaxValue, EstimatorView.Parse);
            if (f.Has("note")) Note = f.Text("note", 0, int.MaxValue, TextForm.Any);
            if (f.Has("remembers")) Remembers = f.Parts("remembers", 0, int.MaxValue, RememberedLine.Parse);
            if (f.Has("outlook")) Outlook = f.Text("outlook", 0, int.MaxValue, TextForm.Any);
        }
    }

    /// <summary>A piece of state that changed its tier.</summary>
    public sealed class Move
    {
        /// <summary>KV cache, LoRA adapter, model weights, or user-defined.</summary>
        public StateKind Kind { get; set; }
        /// <summary>NPC id (prefix, blob), adapter id or model id.</summary>
        public string Key { get; set; }
        /// <summary>Where it was.</summary>
        public Tier Source { get; set; }
        /// <summary>Where it is; where it should be, if <c>error</c>.</summary>
        public Tier Target { get; set; }
        /// <summary>Size.</summary>
        public long Bytes { get; set; }
        /// <summary>Wall time the move took, s.</summary>
        public double Seconds { get; set; }
        /// <summary>Why, for a developer.</summary>
        public string Reason { get; set; }
        /// <summary>Invocation distance in seconds; absent = no call expected.</summary>
        public double? DistanceS { get; set; }
        /// <summary>Why the move failed; absent if it did not.</summary>
        public string Error { get; set; }

        internal static Move Parse(FieldReader f)
        {
            var p = new Move();
            p.Kind = (StateKind)f.Enum("kind", WireNames.StateKind);
            p.Key = f.Text("key", 0, int.MaxValue, TextForm.Any);
            p.Source = (Tier)f.Enum("source", WireNames.Tier);
            p.Target = (Tier)f.Enum("target", WireNames.Tier);
            p.Bytes = f.Integer("bytes", 0, 9007199254740991);
            p.Seconds = f.Real("seconds", double.MinValue, double.MaxValue);
            p.Reason = f.Text("reason", 0, int.MaxValue, TextForm.Any);
            if (f.Has("distance_s")) p.DistanceS = f.Real("distance_s", double.MinValue, double.MaxValue);
            if (f.Has("error")) p.Error = f.Text("error", 0, int.MaxValue, TextForm.Any);
            return p;
        }
    }

    /// <summary>State that moved since the last <c>moves</c> (topic "residency").</summary>
    public sealed class MovesMessage : ServerMessage
    {
        /// <summary>Game time, s.</summary>
        public double GameTimeS { get; set; }
        /// <summary>In the order they happened.</summary>
        public Move[] Moves { get; set; } = System.Array.Empty<Move>();
        /// <summary>Moves left out because the session could not keep up.</summary>
        public long Dropped { get; set; }

        public override string Type => "moves";

        internal override void ReadFields(FieldReader f)
        {
            GameTimeS = f.Real("game_time_s", double.MinValue, double.MaxValue);
            Moves = f.Parts("moves", 0, int.MaxValue, Move.Parse);
            if (f.Contains("dropped")) Dropped = f.Integer("dropped", 0, 9007199254740991);
        }
    }

    /// <summary>One NPC of a world.</summary>
    public sealed class NpcState
    {
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>Its handle.</summary>
        public uint Handle { get; set; }
        /// <summary>Where it is, m.</summary>
        public Vec3 Position { get; set; }
        /// <summary>Invocation distance in seconds; absent = no call expected.</summary>
        public double? DistanceS { get; set; }
        /// <summary>Which estimator won.</summary>
        public string Estimator { get; set; }
        /// <summary>Where its prefix lies.</summary>
        public Tier Tier { get; set; }
        /// <summary>A reply is open or queued.</summary>
        public bool InConversation { get; set; }
        /// <summary>Since 1.1: as others call it.</summary>
        public string Name { get; set; }
        /// <summary>Since 1.1. How near a player has to come to talk to it, m.</summary>
        public double? InteractionRadiusM { get; set; }
        /// <summary>Size of its prefix, in its tier or once built. null = the engine keeps that.</summary>
        public long? Bytes { get; set; }
        /// <summary>Game time at which its last reply ended. null = it has not spoken yet.</summary>
        public double? LastCallS { get; set; }

        internal static NpcState Parse(FieldReader f)
        {
            var p = new NpcState();
            p.Npc = f.Text("npc", 1, 64, TextForm.Id);
            p.Handle = f.Handle("handle");
            p.Position = f.Vector("position", -1e+07, 1e+07);
            if (f.Has("distance_s")) p.DistanceS = f.Real("distance_s", double.MinValue, double.MaxValue);
            if (f.Has("estimator")) p.Estimator = f.Text("estimator", 0, int.MaxValue, TextForm.Any);
            p.Tier = (Tier)f.Enum("tier", WireNames.Tier);
            if (f.Contains("in_conversation")) p.InConversation = f.Flag("in_conversation");
            if (f.Has("name")) p.Name = f.Text("name", 1, 100, TextForm.Any);
            if (f.Has("interaction_radius_m")) p.InteractionRadiusM = f.Real("interaction_radius_m", double.MinValue, double.MaxValue);
            if (f.Has("bytes")) p.Bytes = f.Integer("bytes", 0, 9007199254740991);
            if (f.Has("last_call_s")) p.LastCallS = f.Real("last_call_s", double.MinValue, double.MaxValue);
            return p;
        }
    }

    /// <summary>One player of a world.</summary>
    public sealed class PlayerState
    {
        /// <summary>The player.</summary>
        public string Player { get; set; }
        /// <summary>Its handle.</summary>
        public uint Handle { get; set; }
        /// <summary>Where it is, m.</summary>
        public Vec3 Position { get; set; }
        /// <summary>Since 1.1: as NPCs know it.</summary>
        public string Name { get; set; }

        internal static PlayerState Parse(FieldReader f)
        {
            var p = new PlayerState();
            p.Player = f.Text("player", 1, 64, TextForm.Id);
            p.Handle = f.Handle("handle");
            p.Position = f.Vector("position", -1e+07, 1e+07);
            if (f.Has("name")) p.Name = f.Text("name", 1, 100, TextForm.Any);
            return p;
        }
    }

    /// <summary>Places and distances of all NPCs (topic "npcs"), in parts under 64 KB.</summary>
    public sealed class NpcStatesMessage : ServerMessage
    {
        /// <summary>Game time, s.</summary>
        public double GameTimeS { get; set; }
        /// <summary>Index of this part, from 0.</summary>
        public long Part { get; set; }
        /// <summary>How many make the picture.</summary>
        public long Parts { get; set; }
        /// <summary>NPCs of this part.</summary>
        public NpcState[] Npcs { get; set; } = System.Array.Empty<NpcState>();
        /// <summary>Players of this part.</summary>
        public PlayerState[] Players { get; set; } = System.Array.Empty<PlayerState>();

        public override string Type => "npc_states";

        internal override void ReadFields(FieldReader f)
        {
            GameTimeS = f.Real("game_time_s", double.MinValue, double.MaxValue);
            Part = f.Integer("part", 0, 9007199254740991);
            Parts = f.Integer("parts", 1, 9007199254740991);
            if (f.Contains("npcs")) Npcs = f.Parts("npcs", 0, int.MaxValue, NpcState.Parse);
            if (f.Contains("players")) Players = f.Parts("players", 0, int.MaxValue, PlayerState.Parse);
        }
    }

    /// <summary>Use of one tier by state of one kind.</summary>
    public sealed class TierStats
    {
        /// <summary>Kind of state.</summary>
        public StateKind Kind { get; set; }
        /// <summary>The tier.</summary>
        public Tier Tier { get; set; }
        /// <summary>Bytes in use.</summary>
        public long UsedBytes { get; set; }
        /// <summary>Bytes allowed.</summary>
        public long BudgetBytes { get; set; }
        /// <summary>Pieces of state.</summary>
        public long Items { get; set; }

        internal static TierStats Parse(FieldReader f)
        {
            var p = new TierStats();
            p.Kind = (StateKind)f.Enum("kind", WireNames.StateKind);
            p.Tier = (Tier)f.Enum("tier", WireNames.Tier);
            p.UsedBytes = f.Integer("used_bytes", 0, 9007199254740991);
            p.BudgetBytes = f.Integer("budget_bytes", 0, 9007199254740991);
            p.Items = f.Integer("items", 0, 9007199254740991);
            return p;
        }
    }

    /// <summary>Load of one replica of the engine, by all worlds.</summary>
    public sealed class ReplicaStats
    {
        /// <summary>Its name.</summary>
        public string Name { get; set; }
        /// <summary><c>draining</c>: its NPCs move away; <c>drained</c>: it may be stopped; <c>lost</c>: it does not answer.</summary>
        public ReplicaState State { get; set; }
        /// <summary>NPCs at home there.</summary>
        public long Npcs { get; set; }
        /// <summary>NPCs that are warmed there before they move in.</summary>
        public long Arriving { get; set; }
        /// <summary>Replies being generated now.</summary>
        public long Running { get; set; }
        /// <summary>Replies waiting.</summary>
        public long Queued { get; set; }
        /// <summary>Replies ended.</summary>
        public long Replies { get; set; }
        /// <summary>Replies whose prefix lay on the device.</summary>
        public long DeviceHits { get; set; }
        /// <summary>NPCs of this world at home there that need it next, soonest first, at most 8.</summary>
        public string[] Soonest { get; set; } = System.Array.Empty<string>();

        internal static ReplicaStats Parse(FieldReader f)
        {
            var p = new ReplicaStats();
            p.Name = f.Text("name", 0, int.MaxValue, TextForm.Any);
            p.State = (ReplicaState)f.Enum("state", WireNames.ReplicaState);
            p.Npcs = f.Integer("npcs", 0, 9007199254740991);
            p.Arriving = f.Integer("arriving", 0, 9007199254740991);
            p.Running = f.Integer("running", 0, 9007199254740991);
            p.Queued = f.Integer("queued", 0, 9007199254740991);
            p.Replies = f.Integer("replies", 0, 9007199254740991);
            p.DeviceHits = f.Integer("device_hits", 0, 9007199254740991);
            p.Soonest = f.Texts("soonest", 0, int.MaxValue, 1, 64, TextForm.Id);
            return p;
        }
    }

    /// <summary>Time to first token: all replies counted, percentiles of the latest.</summary>
    public sealed class TtftStats
    {
        /// <summary>How many.</summary>
        public long Replies { get; set; }
        /// <summary>Median, s; absent if there were none.</summary>
        public double? P50S { get; set; }
        /// <summary>95th percentile, s.</summary>
        public double? P95S { get; set; }

        internal static TtftStats Parse(FieldReader f)
        {
            var p = new TtftStats();
            p.Replies = f.Integer("replies", 0, 9007199254740991);
            if (f.Has("p50_s")) p.P50S = f.Real("p50_s", double.MinValue, double.MaxValue);
            if (f.Has("p95_s")) p.P95S = f.Real("p95_s", double.MinValue, double.MaxValue);
            return p;
        }
    }

    /// <summary>Chances said of calls within some seconds, and what came; each look is at one NPC.</summary>
    public sealed class ChanceStats
    {
        /// <summary>Time from the look, s.</summary>
        public double WithinS { get; set; }
        /// <summary>"unlikely" (below 10 %), "possible" or "likely" (from 50 %).</summary>
        public string Band { get; set; }
        /// <summary>Looks with such a chance.</summary>
        public long Looks { get; set; }
        /// <summary>Sum of the chances: the looks after which a call was to come.</summary>
        public double Said { get; set; }
        /// <summary>Looks after which one came.</summary>
        public long Came { get; set; }

        internal static ChanceStats Parse(FieldReader f)
        {
            var p = new ChanceStats();
            p.WithinS = f.Real("within_s", double.MinValue, double.MaxValue);
            p.Band = f.Text("band", 0, int.MaxValue, TextForm.Any);
            p.Looks = f.Integer("looks", 0, 9007199254740991);
            p.Said = f.Real("said", double.MinValue, double.MaxValue);
            p.Came = f.Integer("came", 0, 9007199254740991);
            return p;
        }
    }

    /// <summary>Worth of one source of the forecast.</summary>
    public sealed class SourceStats
    {
        /// <summary>"proximity", "encounter", "history", "chain" or another.</summary>
        public string Name { get; set; }
        /// <summary>Callers that an order without this source would have had in front.</summary>
        public long Foremost { get; set; }

        internal static SourceStats Parse(FieldReader f)
        {
            var p = new SourceStats();
            p.Name = f.Text("name", 0, int.MaxValue, TextForm.Any);
            p.Foremost = f.Integer("foremost", 0, 9007199254740991);
            return p;
        }
    }

    /// <summary>Said against seen, as learned in this world since the server runs.</summary>
    public sealed class ForecastStats
    {
        /// <summary>By time and chance.</summary>
        public ChanceStats[] Chances { get; set; } = System.Array.Empty<ChanceStats>();
        /// <summary>Looks after which a call came within 5 s; nobody had announced it.</summary>
        public long Callers { get; set; }
        /// <summary>Those of them that were in the front quarter of the order.</summary>
        public long Foremost { get; set; }
        /// <summary>What each source is worth.</summary>
        public SourceStats[] Sources { get; set; } = System.Array.Empty<SourceStats>();

        internal static ForecastStats Parse(FieldReader f)
        {
            var p = new ForecastStats();
            p.Chances = f.Parts("chances", 0, int.MaxValue, ChanceStats.Parse);
            p.Callers = f.Integer("callers", 0, 9007199254740991);
            p.Foremost = f.Integer("foremost", 0, 9007199254740991);
            p.Sources = f.Parts("sources", 0, int.MaxValue, SourceStats.Parse);
            return p;
        }
    }

    /// <summary>Counts of the server's work for this world so far (topic "stats").</summary>
    public sealed class StatsMessage : ServerMessage
    {
        /// <summary>Game time, s.</summary>
        public double GameTimeS { get; set; }
        /// <summary>NPCs alive.</summary>
        public long Npcs { get; set; }
        /// <summary>Players present.</summary>
        public long Players { get; set; }
        /// <summary>Ticks taken.</summary>
        public long Ticks { get; set; }
        /// <summary>NPC records taken.</summary>
        public long NpcUpdates { get; set; }
        /// <summary>Requests taken.</summary>
        public long Requests { get; set; }
        /// <summary>Replies ended.</summary>
        public long Replies { get; set; }
        /// <summary>Errors sent.</summary>
        public long Errors { get; set; }
        /// <summary>Replies being generated now.</summary>
        public long Running { get; set; }
        /// <summary>Replies waiting for the engine.</summary>
        public long Queued { get; set; }
        /// <summary>How full the tiers are.</summary>
        public TierStats[] Tiers { get; set; } = System.Array.Empty<TierStats>();
        /// <summary>Moves towards the device.</summary>
        public long Loads { get; set; }
        /// <summary>Moves away from the device.</summary>
        public long Evictions { get; set; }
        /// <summary>Bytes moved towards the device.</summary>
        public long LoadedBytes { get; set; }
        /// <summary>Bytes moved away from it.</summary>
        public long EvictedBytes { get; set; }
        /// <summary>NPCs whose prefix was on the device.</summary>
        public TtftStats TtftResident { get; set; }
        /// <summary>All others.</summary>
        public TtftStats TtftNotResident { get; set; }
        /// <summary>The policy that moves state; see <c>SetPolicy</c>. null = the engine plans for itself.</summary>
        public string Policy { get; set; }
        /// <summary>Replicas of the engine; null = it has none.</summary>
        public ReplicaStats[] Replicas { get; set; }
        /// <summary>Said against seen; null = too few calls to say.</summary>
        public ForecastStats Forecast { get; set; }

        public override string Type => "stats";

        internal override void ReadFields(FieldReader f)
        {
            GameTimeS = f.Real("game_time_s", double.MinValue, double.MaxValue);
            Npcs = f.Integer("npcs", 0, 9007199254740991);
            Players = f.Integer("players", 0, 9007199254740991);
            Ticks = f.Integer("ticks", 0, 9007199254740991);
            NpcUpdates = f.Integer("npc_updates", 0, 9007199254740991);
            Requests = f.Integer("requests", 0, 9007199254740991);
            Replies = f.Integer("replies", 0, 9007199254740991);
            Errors = f.Integer("errors", 0, 9007199254740991);
            Running = f.Integer("running", 0, 9007199254740991);
            Queued = f.Integer("queued", 0, 9007199254740991);
            Tiers = f.Parts("tiers", 0, int.MaxValue, TierStats.Parse);
            Loads = f.Integer("loads", 0, 9007199254740991);
            Evictions = f.Integer("evictions", 0, 9007199254740991);
            LoadedBytes = f.Integer("loaded_bytes", 0, 9007199254740991);
            EvictedBytes = f.Integer("evicted_bytes", 0, 9007199254740991);
            TtftResident = TtftStats.Parse(f.Part("ttft_resident"));
            TtftNotResident = TtftStats.Parse(f.Part("ttft_not_resident"));
            if (f.Has("policy")) Policy = f.Text("policy", 0, int.MaxValue, TextForm.Any);
            if (f.Has("replicas")) Replicas = f.Parts("replicas", 0, int.MaxValue, ReplicaStats.Parse);
            if (f.Has("forecast")) Forecast = ForecastStats.Parse(f.Part("forecast"));
        }
    }
}
