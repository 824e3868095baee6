// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

using Callsheet.Wire;

namespace Callsheet.Tests
{
    internal static partial class Mirror
    {
        private static RegisterScriptMessage ReadRegisterScriptMessage(FieldReader f)
        {
            var m = new RegisterScriptMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Script = f.Text("script", 1, 64, TextForm.Id);
            if (f.Contains("npcs")) m.Npcs = f.Texts("npcs", 0, 10000, 1, 64, TextForm.Id);
            if (f.Contains("archetypes")) m.Archetypes = f.Texts("archetypes", 0, 100, 1, 64, TextForm.Id);
            if (f.Has("persona")) m.Persona = f.Text("persona", 0, 16000, TextForm.Any);
            if (f.Has("interaction_radius_m")) m.InteractionRadiusM = f.Real("interaction_radius_m", 0, 100000);
            if (f.Has("sociability")) m.Sociability = f.Real("sociability", 0, 1);
            if (f.Has("schedule")) m.Schedule = f.Parts("schedule", 0, 64, ParseScheduledCall);
            if (f.Contains("actions")) m.Actions = f.Parts("actions", 0, 32, ParseActionSpec);
            if (f.Contains("events")) m.Events = System.Array.ConvertAll(f.Enums("events", 0, 3, WireNames.ScriptEvent), i => (ScriptEvent)i);
            if (f.Contains("tick_interval_s")) m.TickIntervalS = f.Real("tick_interval_s", 0.1, 3600);
            if (f.Has("game_actions")) m.GameActions = f.Texts("game_actions", 0, 32, 1, 64, TextForm.Identifier);
            if (f.Has("judges_actions")) m.JudgesActions = f.Flag("judges_actions");
            return m;
        }

        private static void WriteScriptRegisteredMessage(JsonWriter w, ScriptRegisteredMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Texts("npcs", m.Npcs, 0, int.MaxValue, 1, 64, TextForm.Id);
            if (m.Note != null) w.Text("note", m.Note, 0, int.MaxValue, TextForm.Any);
        }

        private static UnregisterScriptMessage ReadUnregisterScriptMessage(FieldReader f)
        {
            var m = new UnregisterScriptMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Script = f.Text("script", 1, 64, TextForm.Id);
            return m;
        }

        private static SetFactsMessage ReadSetFactsMessage(FieldReader f)
        {
            var m = new SetFactsMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            m.Facts = f.Object("facts");
            return m;
        }

        private static GetFactsMessage ReadGetFactsMessage(FieldReader f)
        {
            var m = new GetFactsMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            return m;
        }

        private static void WriteFactsMessage(JsonWriter w, FactsMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Object("facts", m.Facts);
        }

        private static void WriteNpcSpawnedMessage(JsonWriter w, NpcSpawnedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Flag("alive", m.Alive);
        }

        private static void WriteHeardMessage(JsonWriter w, HeardMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Integer("call", m.Call, 1, 9007199254740991);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Part("speaker", m.Speaker, FormatSpeakerView);
            w.Text("text", m.Text, 0, int.MaxValue, TextForm.Any);
            w.Real("deadline_s", m.DeadlineS, double.MinValue, double.MaxValue);
            if (m.Actions != null) w.Texts("actions", m.Actions, 0, int.MaxValue, 1, 64, TextForm.Identifier);
        }

        private static HearAnswerMessage ReadHearAnswerMessage(FieldReader f)
        {
            var m = new HearAnswerMessage();
            m.Call = f.Integer("call", 1, 9007199254740991);
            if (f.Has("material")) m.Material = f.Text("material", 0, 4000, TextForm.Any);
            if (f.Has("reply")) m.Reply = f.Text("reply", 1, 4000, TextForm.Any);
            if (f.Contains("ignore")) m.Ignore = f.Flag("ignore");
            if (f.Has("actions")) m.Actions = f.Texts("actions", 0, 64, 1, 64, TextForm.Identifier);
            return m;
        }

        private static void WriteActionChosenMessage(JsonWriter w, ActionChosenMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Integer("call", m.Call, 1, 9007199254740991);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Text("name", m.Name, 1, 64, TextForm.Identifier);
            w.Object("arguments", m.Arguments);
            w.Real("deadline_s", m.DeadlineS, double.MinValue, double.MaxValue);
        }

        private static ActionVerdictMessage ReadActionVerdictMessage(FieldReader f)
        {
            var m = new ActionVerdictMessage();
            m.Call = f.Integer("call", 1, 9007199254740991);
            m.Ok = f.Flag("ok");
            return m;
        }

        private static void WritePlayerNearMessage(JsonWriter w, PlayerNearMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Text("player", m.Player, 1, 64, TextForm.Id);
            w.Real("distance_m", m.DistanceM, double.MinValue, double.MaxValue);
        }

        private static void WritePlayerLeftMessage(JsonWriter w, PlayerLeftMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Text("player", m.Player, 1, 64, TextForm.Id);
        }

        private static void WriteNpcTickMessage(JsonWriter w, NpcTickMessage m)
        {
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
            if (m.DistanceS != null) w.Real("distance_s", m.DistanceS.Value, double.MinValue, double.MaxValue);
        }

        private static void WriteActionDoneMessage(JsonWriter w, ActionDoneMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Integer("action", m.Action, 1, 9007199254740991);
            w.Text("name", m.Name, 1, 64, TextForm.Identifier);
            w.Flag("ok", m.Ok);
            w.Text("message", m.Message, 0, int.MaxValue, TextForm.Any);
        }
    }
}
