// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

using Callsheet.Wire;

namespace Callsheet.Tests
{
    internal static partial class Mirror
    {
        private static ConditionalLore ParseConditionalLore(FieldReader f)
        {
            var p = new ConditionalLore();
            p.Text = f.Text("text", 1, 1000, TextForm.Any);
            if (f.Has("archetypes")) p.Archetypes = f.Texts("archetypes", 0, 100, 1, 64, TextForm.Id);
            if (f.Has("place")) p.Place = f.Vector("place", -1e+07, 1e+07);
            if (f.Contains("radius_m")) p.RadiusM = f.Real("radius_m", 0, 100000);
            if (f.Has("from_s")) p.FromS = f.Real("from_s", 0, 1e+12);
            if (f.Has("until_s")) p.UntilS = f.Real("until_s", 0, 1e+12);
            if (f.Has("every_s")) p.EveryS = f.Real("every_s", double.Epsilon, 1e+09);
            if (f.Has("flag")) p.Flag = f.Text("flag", 1, 64, TextForm.Id);
            return p;
        }

        private static ConfigureWorldMessage ReadConfigureWorldMessage(FieldReader f)
        {
            var m = new ConfigureWorldMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            if (f.Has("lore")) m.Lore = f.Text("lore", 0, 16000, TextForm.Any);
            if (f.Has("player_max_speed_mps")) m.PlayerMaxSpeedMps = f.Real("player_max_speed_mps", double.Epsilon, 10000);
            if (f.Has("npc_max_speed_mps")) m.NpcMaxSpeedMps = f.Real("npc_max_speed_mps", double.Epsilon, 10000);
            if (f.Has("lore_entries")) m.LoreEntries = f.Parts("lore_entries", 0, 256, ParseConditionalLore);
            if (f.Has("flags")) m.Flags = f.Texts("flags", 0, 256, 1, 64, TextForm.Id);
            return m;
        }

        private static ScheduledCall ParseScheduledCall(FieldReader f)
        {
            var p = new ScheduledCall();
            p.AtS = f.Real("at_s", 0, 1e+12);
            if (f.Has("every_s")) p.EveryS = f.Real("every_s", double.Epsilon, 1e+09);
            return p;
        }

        private static ActionSpec ParseActionSpec(FieldReader f)
        {
            var p = new ActionSpec();
            p.Name = f.Text("name", 1, 64, TextForm.Identifier);
            p.Description = f.Text("description", 0, 500, TextForm.Any);
            p.Parameters = f.Object("parameters");
            if (f.Has("gated")) p.Gated = f.Flag("gated");
            return p;
        }

        private static NpcSpec ParseNpcSpec(FieldReader f)
        {
            var p = new NpcSpec();
            p.Npc = f.Text("npc", 1, 64, TextForm.Id);
            p.Name = f.Text("name", 1, 100, TextForm.Any);
            if (f.Contains("persona")) p.Persona = f.Text("persona", 0, 16000, TextForm.Any);
            if (f.Has("archetype")) p.Archetype = f.Text("archetype", 1, 64, TextForm.Id);
            if (f.Has("adapter")) p.Adapter = f.Text("adapter", 1, 64, TextForm.Id);
            if (f.Contains("interaction_radius_m")) p.InteractionRadiusM = f.Real("interaction_radius_m", 0, 100000);
            if (f.Contains("sociability")) p.Sociability = f.Real("sociability", 0, 1);
            if (f.Has("position")) p.Position = f.Vector("position", -1e+07, 1e+07);
            if (f.Contains("schedule")) p.Schedule = f.Parts("schedule", 0, 64, ParseScheduledCall);
            if (f.Has("actions")) p.Actions = f.Texts("actions", 0, 32, 1, 64, TextForm.Identifier);
            if (f.Has("action_specs")) p.ActionSpecs = f.Parts("action_specs", 0, 32, ParseActionSpec);
            if (f.Has("knowledge")) p.Knowledge = f.Texts("knowledge", 0, 32, 1, 500, TextForm.Any);
            return p;
        }

        private static PlayerSpec ParsePlayerSpec(FieldReader f)
        {
            var p = new PlayerSpec();
            p.Player = f.Text("player", 1, 64, TextForm.Id);
            p.Name = f.Text("name", 1, 100, TextForm.Any);
            if (f.Has("position")) p.Position = f.Vector("position", -1e+07, 1e+07);
            return p;
        }

        private static SpawnMessage ReadSpawnMessage(FieldReader f)
        {
            var m = new SpawnMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            if (f.Contains("npcs")) m.Npcs = f.Parts("npcs", 0, int.MaxValue, ParseNpcSpec);
            if (f.Contains("players")) m.Players = f.Parts("players", 0, int.MaxValue, ParsePlayerSpec);
            return m;
        }

        private static void FormatSpawnedNpc(JsonWriter w, SpawnedNpc p)
        {
            w.Text("npc", p.Npc, 1, 64, TextForm.Id);
            w.Handle("handle", p.Handle);
        }

        private static void FormatSpawnedPlayer(JsonWriter w, SpawnedPlayer p)
        {
            w.Text("player", p.Player, 1, 64, TextForm.Id);
            w.Handle("handle", p.Handle);
        }

        private static void WriteSpawnedMessage(JsonWriter w, SpawnedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Parts("npcs", m.Npcs, 0, int.MaxValue, FormatSpawnedNpc);
            w.Parts("players", m.Players, 0, int.MaxValue, FormatSpawnedPlayer);
            if (m.Note != null) w.Text("note", m.Note, 0, int.MaxValue, TextForm.Any);
        }

        private static UpdateNpcMessage ReadUpdateNpcMessage(FieldReader f)
        {
            var m = new UpdateNpcMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            if (f.Has("name")) m.Name = f.Text("name", 1, 100, TextForm.Any);
            if (f.Has("persona")) m.Persona = f.Text("persona", 0, 16000, TextForm.Any);
            if (f.Has("adapter")) m.Adapter = f.Text("adapter", 0, 64, TextForm.IdOrEmpty);
            if (f.Has("interaction_radius_m")) m.InteractionRadiusM = f.Real("interaction_radius_m", 0, 100000);
            if (f.Has("sociability")) m.Sociability = f.Real("sociability", 0, 1);
            if (f.Has("schedule")) m.Schedule = f.Parts("schedule", 0, 64, ParseScheduledCall);
            if (f.Has("actions")) m.Actions = f.Texts("actions", 0, 32, 1, 64, TextForm.Identifier);
            if (f.Has("action_specs")) m.ActionSpecs = f.Parts("action_specs", 0, 32, ParseActionSpec);
            if (f.Has("knowledge")) m.Knowledge = f.Texts("knowledge", 0, 32, 1, 500, TextForm.Any);
            return m;
        }

        private static DespawnMessage ReadDespawnMessage(FieldReader f)
        {
            var m = new DespawnMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            if (f.Contains("npcs")) m.Npcs = f.Texts("npcs", 0, int.MaxValue, 1, 64, TextForm.Id);
            if (f.Contains("players")) m.Players = f.Texts("players", 0, int.MaxValue, 1, 64, TextForm.Id);
            return m;
        }

        private static Hint ParseHint(FieldReader f)
        {
            var p = new Hint();
            p.Npc = f.Text("npc", 1, 64, TextForm.Id);
            if (f.Has("in_s")) p.InS = f.Real("in_s", 0, 1e+12);
            return p;
        }

        private static HintCallsMessage ReadHintCallsMessage(FieldReader f)
        {
            var m = new HintCallsMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Hints = f.Parts("hints", 1, 10000, ParseHint);
            return m;
        }

        private static TickNpc ParseTickNpc(FieldReader f)
        {
            var p = new TickNpc();
            p.Handle = f.Handle("handle");
            p.Position = f.Vector("position", -1e+07, 1e+07);
            if (f.Contains("velocity")) p.Velocity = f.Vector("velocity", -1e+07, 1e+07);
            if (f.Has("next_call_s")) p.NextCallS = f.Real("next_call_s", 0, 1e+12);
            if (f.Contains("flags")) p.Flags = f.Integer("flags", 0, 3);
            return p;
        }

        private static TickPlayer ParseTickPlayer(FieldReader f)
        {
            var p = new TickPlayer();
            p.Handle = f.Handle("handle");
            p.Position = f.Vector("position", -1e+07, 1e+07);
            if (f.Contains("velocity")) p.Velocity = f.Vector("velocity", -1e+07, 1e+07);
            return p;
        }

        private static JsonTickMessage ReadJsonTickMessage(FieldReader f)
        {
            var m = new JsonTickMessage();
            m.Kind = (TickKind)f.Enum("kind", WireNames.TickKind);
            m.Tick = f.Handle("tick");
            m.GameTimeS = f.Real("game_time_s", 0, 1e+12);
            if (f.Contains("ack")) m.Ack = f.Flag("ack");
            if (f.Has("rewind")) m.Rewind = f.Flag("rewind");
            if (f.Contains("npcs")) m.Npcs = f.Parts("npcs", 0, int.MaxValue, ParseTickNpc);
            if (f.Contains("players")) m.Players = f.Parts("players", 0, int.MaxValue, ParseTickPlayer);
            return m;
        }

        private static void WriteTickAckMessage(JsonWriter w, TickAckMessage m)
        {
            w.Handle("tick", m.Tick);
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
        }

        private static JoinMessage ReadJoinMessage(FieldReader f)
        {
            var m = new JoinMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Name = f.Text("name", 1, 100, TextForm.Any);
            m.Position = f.Vector("position", -1e+07, 1e+07);
            return m;
        }

        private static void WriteJoinedMessage(JsonWriter w, JoinedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Text("player", m.Player, 1, 64, TextForm.Id);
            w.Real("max_speed_mps", m.MaxSpeedMps, double.MinValue, double.MaxValue);
        }

        private static MovePlayerMessage ReadMovePlayerMessage(FieldReader f)
        {
            var m = new MovePlayerMessage();
            m.Position = f.Vector("position", -1e+07, 1e+07);
            if (f.Contains("velocity")) m.Velocity = f.Vector("velocity", -1e+07, 1e+07);
            return m;
        }

        private static void WriteWorldClosedMessage(JsonWriter w, WorldClosedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
        }
    }
}
