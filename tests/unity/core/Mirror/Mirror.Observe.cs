// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

using Callsheet.Wire;

namespace Callsheet.Tests
{
    internal static partial class Mirror
    {
        private static SubscribeMessage ReadSubscribeMessage(FieldReader f)
        {
            var m = new SubscribeMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Topics = System.Array.ConvertAll(f.Enums("topics", 0, 4, WireNames.Topic), i => (Topic)i);
            if (f.Contains("interval_s")) m.IntervalS = f.Real("interval_s", 0.05, 60);
            return m;
        }

        private static ExplainMessage ReadExplainMessage(FieldReader f)
        {
            var m = new ExplainMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            return m;
        }

        private static SetPolicyMessage ReadSetPolicyMessage(FieldReader f)
        {
            var m = new SetPolicyMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Policy = (PolicyName)f.Enum("policy", WireNames.PolicyName);
            return m;
        }

        private static DrainReplicaMessage ReadDrainReplicaMessage(FieldReader f)
        {
            var m = new DrainReplicaMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Replica = f.Text("replica", 1, 300, TextForm.Any);
            if (f.Contains("undo")) m.Undo = f.Flag("undo");
            return m;
        }

        private static void FormatEstimatorView(JsonWriter w, EstimatorView p)
        {
            w.Text("name", p.Name, 0, int.MaxValue, TextForm.Any);
            if (p.DistanceS != null) w.Real("distance_s", p.DistanceS.Value, double.MinValue, double.MaxValue);
            w.Text("why", p.Why, 0, int.MaxValue, TextForm.Any);
        }

        private static void FormatRememberedLine(JsonWriter w, RememberedLine p)
        {
            if (p.Speaker != null) w.Text("speaker", p.Speaker, 0, int.MaxValue, TextForm.Any);
            w.Text("text", p.Text, 0, int.MaxValue, TextForm.Any);
        }

        private static void WriteExplanationMessage(JsonWriter w, ExplanationMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
            if (m.DistanceS != null) w.Real("distance_s", m.DistanceS.Value, double.MinValue, double.MaxValue);
            if (m.Estimator != null) w.Text("estimator", m.Estimator, 0, int.MaxValue, TextForm.Any);
            w.Enum("tier", (int)m.Tier, WireNames.Tier);
            w.Parts("estimators", m.Estimators, 0, int.MaxValue, FormatEstimatorView);
            if (m.Note != null) w.Text("note", m.Note, 0, int.MaxValue, TextForm.Any);
            if (m.Remembers != null) w.Parts("remembers", m.Remembers, 0, int.MaxValue, FormatRememberedLine);
            if (m.Outlook != null) w.Text("outlook", m.Outlook, 0, int.MaxValue, TextForm.Any);
        }

        private static void FormatMove(JsonWriter w, Move p)
        {
            w.Enum("kind", (int)p.Kind, WireNames.StateKind);
            w.Text("key", p.Key, 0, int.MaxValue, TextForm.Any);
            w.Enum("source", (int)p.Source, WireNames.Tier);
            w.Enum("target", (int)p.Target, WireNames.Tier);
            w.Integer("bytes", p.Bytes, 0, 9007199254740991);
            w.Real("seconds", p.Seconds, double.MinValue, double.MaxValue);
            w.Text("reason", p.Reason, 0, int.MaxValue, TextForm.Any);
            if (p.DistanceS != null) w.Real("distance_s", p.DistanceS.Value, double.MinValue, double.MaxValue);
            if (p.Error != null) w.Text("error", p.Error, 0, int.MaxValue, TextForm.Any);
        }

        private static void WriteMovesMessage(JsonWriter w, MovesMessage m)
        {
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
            w.Parts("moves", m.Moves, 0, int.MaxValue, FormatMove);
            w.Integer("dropped", m.Dropped, 0, 9007199254740991);
        }

        private static void FormatNpcState(JsonWriter w, NpcState p)
        {
            w.Text("npc", p.Npc, 1, 64, TextForm.Id);
            w.Handle("handle", p.Handle);
            w.Vector("position", p.Position, -1e+07, 1e+07);
            if (p.DistanceS != null) w.Real("distance_s", p.DistanceS.Value, double.MinValue, double.MaxValue);
            if (p.Estimator != null) w.Text("estimator", p.Estimator, 0, int.MaxValue, TextForm.Any);
            w.Enum("tier", (int)p.Tier, WireNames.Tier);
            w.Flag("in_conversation", p.InConversation);
            if (p.Name != null) w.Text("name", p.Name, 1, 100, TextForm.Any);
            if (p.InteractionRadiusM != null) w.Real("interaction_radius_m", p.InteractionRadiusM.Value, double.MinValue, double.MaxValue);
            if (p.Bytes != null) w.Integer("bytes", p.Bytes.Value, 0, 9007199254740991);
            if (p.LastCallS != null) w.Real("last_call_s", p.LastCallS.Value, double.MinValue, double.MaxValue);
        }

        private static void FormatPlayerState(JsonWriter w, PlayerState p)
        {
            w.Text("player", p.Player, 1, 64, TextForm.Id);
            w.Handle("handle", p.Handle);
            w.Vector("position", p.Position, -1e+07, 1e+07);
            if (p.Name != null) w.Text("name", p.Name, 1, 100, TextForm.Any);
        }

        private static void WriteNpcStatesMessage(JsonWriter w, NpcStatesMessage m)
        {
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
            w.Integer("part", m.Part, 0, 9007199254740991);
            w.Integer("parts", m.Parts, 1, 9007199254740991);
            w.Parts("npcs", m.Npcs, 0, int.MaxValue, FormatNpcState);
            w.Parts("players", m.Players, 0, int.MaxValue, FormatPlayerState);
        }

        private static void FormatTierStats(JsonWriter w, TierStats p)
        {
            w.Enum("kind", (int)p.Kind, WireNames.StateKind);
            w.Enum("tier", (int)p.Tier, WireNames.Tier);
            w.Integer("used_bytes", p.UsedBytes, 0, 9007199254740991);
            w.Integer("budget_bytes", p.BudgetBytes, 0, 9007199254740991);
            w.Integer("items", p.Items, 0, 9007199254740991);
        }

        private static void FormatReplicaStats(JsonWriter w, ReplicaStats p)
        {
            w.Text("name", p.Name, 0, int.MaxValue, TextForm.Any);
            w.Enum("state", (int)p.State, WireNames.ReplicaState);
            w.Integer("npcs", p.Npcs, 0, 9007199254740991);
            w.Integer("arriving", p.Arriving, 0, 9007199254740991);
            w.Integer("running", p.Running, 0, 9007199254740991);
            w.Integer("queued", p.Queued, 0, 9007199254740991);
            w.Integer("replies", p.Replies, 0, 9007199254740991);
            w.Integer("device_hits", p.DeviceHits, 0, 9007199254740991);
            w.Texts("soonest", p.Soonest, 0, int.MaxValue, 1, 64, TextForm.Id);
        }

        private static void FormatTtftStats(JsonWriter w, TtftStats p)
        {
            w.Integer("replies", p.Replies, 0, 9007199254740991);
            if (p.P50S != null) w.Real("p50_s", p.P50S.Value, double.MinValue, double.MaxValue);
            if (p.P95S != null) w.Real("p95_s", p.P95S.Value, double.MinValue, double.MaxValue);
        }

        private static void FormatChanceStats(JsonWriter w, ChanceStats p)
        {
            w.Real("within_s", p.WithinS, double.MinValue, double.MaxValue);
            w.Text("band", p.Band, 0, int.MaxValue, TextForm.Any);
            w.Integer("looks", p.Looks, 0, 9007199254740991);
            w.Real("said", p.Said, double.MinValue, double.MaxValue);
            w.Integer("came", p.Came, 0, 9007199254740991);
        }

        private static void FormatSourceStats(JsonWriter w, SourceStats p)
        {
            w.Text("name", p.Name, 0, int.MaxValue, TextForm.Any);
            w.Integer("foremost", p.Foremost, 0, 9007199254740991);
        }

        private static void FormatForecastStats(JsonWriter w, ForecastStats p)
        {
            w.Parts("chances", p.Chances, 0, int.MaxValue, FormatChanceStats);
            w.Integer("callers", p.Callers, 0, 9007199254740991);
            w.Integer("foremost", p.Foremost, 0, 9007199254740991);
            w.Parts("sources", p.Sources, 0, int.MaxValue, FormatSourceStats);
        }

        private static void WriteStatsMessage(JsonWriter w, StatsMessage m)
        {
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
            w.Integer("npcs", m.Npcs, 0, 9007199254740991);
            w.Integer("players", m.Players, 0, 9007199254740991);
            w.Integer("ticks", m.Ticks, 0, 9007199254740991);
            w.Integer("npc_updates", m.NpcUpdates, 0, 9007199254740991);
            w.Integer("requests", m.Requests, 0, 9007199254740991);
            w.Integer("replies", m.Replies, 0, 9007199254740991);
            w.Integer("errors", m.Errors, 0, 9007199254740991);
            w.Integer("running", m.Running, 0, 9007199254740991);
            w.Integer("queued", m.Queued, 0, 9007199254740991);
            w.Parts("tiers", m.Tiers, 0, int.MaxValue, FormatTierStats);
            w.Integer("loads", m.Loads, 0, 9007199254740991);
            w.Integer("evictions", m.Evictions, 0, 9007199254740991);
            w.Integer("loaded_bytes", m.LoadedBytes, 0, 9007199254740991);
            w.Integer("evicted_bytes", m.EvictedBytes, 0, 9007199254740991);
            w.Part("ttft_resident", m.TtftResident, FormatTtftStats);
            w.Part("ttft_not_resident", m.TtftNotResident, FormatTtftStats);
            if (m.Policy != null) w.Text("policy", m.Policy, 0, int.MaxValue, TextForm.Any);
            if (m.Replicas != null) w.Parts("replicas", m.Replicas, 0, int.MaxValue, FormatReplicaStats);
            if (m.Forecast != null) w.Part("forecast", m.Forecast, FormatForecastStats);
        }
    }
}
