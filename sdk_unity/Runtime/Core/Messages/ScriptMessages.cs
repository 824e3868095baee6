// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>
    /// Binds a script to NPCs by id or archetype, now and when they spawn later.
    ///
    /// The same name again replaces the script (hot reload). Answered by <c>script_registered</c>.
    /// If several scripts match an NPC, the one registered last speaks for it.
    /// </summary>
    public sealed class RegisterScriptMessage : RequestMessage
    {
        /// <summary>Name of the script.</summary>
        public string Script { get; set; }
        /// <summary>NPC ids it speaks for.</summary>
        public string[] Npcs { get; set; } = System.Array.Empty<string>();
        /// <summary>Archetypes it speaks for.</summary>
        public string[] Archetypes { get; set; } = System.Array.Empty<string>();
        /// <summary>Replaces the persona the game gave; null keeps it.</summary>
        public string Persona { get; set; }
        /// <summary>Replaces the radius, m.</summary>
        public double? InteractionRadiusM { get; set; }
        /// <summary>Replaces the sociability.</summary>
        public double? Sociability { get; set; }
        /// <summary>Replaces the schedule.</summary>
        public ScheduledCall[] Schedule { get; set; }
        /// <summary>Actions besides those that the game gave its NPCs; one of the same name replaces that.</summary>
        public ActionSpec[] Actions { get; set; } = System.Array.Empty<ActionSpec>();
        /// <summary>Events the mod wants to be told of; all scripts are told of spawns and action results.</summary>
        public ScriptEvent[] Events { get; set; } = System.Array.Empty<ScriptEvent>();
        /// <summary>Game time between two <c>npc_tick</c> of an NPC.</summary>
        public double TickIntervalS { get; set; } = 1;
        /// <summary>The actions of the game that its NPCs keep; null = all of them.</summary>
        public string[] GameActions { get; set; }
        /// <summary>True = the mod is asked (<c>action_chosen</c>) before an NPC of the script acts.</summary>
        public bool? JudgesActions { get; set; }

        public override string Type => "register_script";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("script", Script, 1, 64, TextForm.Id);
            w.Texts("npcs", Npcs, 0, 10000, 1, 64, TextForm.Id);
            w.Texts("archetypes", Archetypes, 0, 100, 1, 64, TextForm.Id);
            if (Persona != null) w.Text("persona", Persona, 0, 16000, TextForm.Any);
            if (InteractionRadiusM != null) w.Real("interaction_radius_m", InteractionRadiusM.Value, 0, 100000);
            if (Sociability != null) w.Real("sociability", Sociability.Value, 0, 1);
            if (Schedule != null) w.Parts("schedule", Schedule, 0, 64, ScheduledCall.Format);
            w.Parts("actions", Actions, 0, 32, ActionSpec.Format);
            w.Enums("events", System.Array.ConvertAll(Events, i => (int)i), 0, 3, WireNames.ScriptEvent);
            w.Real("tick_interval_s", TickIntervalS, 0.1, 3600);
            if (GameActions != null) w.Texts("game_actions", GameActions, 0, 32, 1, 64, TextForm.Identifier);
            if (JudgesActions != null) w.Flag("judges_actions", JudgesActions.Value);
        }
    }

    /// <summary>The script is in place.</summary>
    public sealed class ScriptRegisteredMessage : ReliableMessage
    {
        /// <summary>The request this answers.</summary>
        public long Id { get; set; }
        /// <summary>The script.</summary>
        public string Script { get; set; }
        /// <summary>NPCs alive now that the script speaks for; at most the first 900.</summary>
        public string[] Npcs { get; set; } = System.Array.Empty<string>();
        /// <summary>A note to the script's author, in one line.</summary>
        public string Note { get; set; }

        public override string Type => "script_registered";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Id = f.Integer("id", 1, 9007199254740991);
            Script = f.Text("script", 1, 64, TextForm.Id);
            Npcs = f.Texts("npcs", 0, int.MaxValue, 1, 64, TextForm.Id);
            if (f.Has("note")) Note = f.Text("note", 0, int.MaxValue, TextForm.Any);
        }
    }

    /// <summary>Takes a script away; its NPCs get back what the game gave them. Answered by <c>ok</c>.</summary>
    public sealed class UnregisterScriptMessage : RequestMessage
    {
        /// <summary>The script.</summary>
        public string Script { get; set; }

        public override string Type => "unregister_script";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("script", Script, 1, 64, TextForm.Id);
        }
    }

    /// <summary>Notes facts about an NPC, kept with its memory; answered by <c>ok</c>. All or none.</summary>
    public sealed class SetFactsMessage : RequestMessage
    {
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>Facts by name; <c>null</c> takes one away. Names are at most 64 characters.</summary>
        public JsonValue Facts { get; set; }

        public override string Type => "set_facts";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("npc", Npc, 1, 64, TextForm.Id);
            w.Object("facts", Facts);
        }
    }

    /// <summary>Asks for the facts noted about an NPC; answered by <c>facts</c>.</summary>
    public sealed class GetFactsMessage : RequestMessage
    {
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }

        public override string Type => "get_facts";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("npc", Npc, 1, 64, TextForm.Id);
        }
    }

    /// <summary>The facts noted about an NPC.</summary>
    public sealed class FactsMessage : ReliableMessage
    {
        /// <summary>The request this answers.</summary>
        public long Id { get; set; }
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>By name.</summary>
        public JsonValue Facts { get; set; }

        public override string Type => "facts";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Id = f.Integer("id", 1, 9007199254740991);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            Facts = f.Object("facts");
        }
    }

    /// <summary>An NPC of the script appeared (or left, if <c>alive</c> is false).</summary>
    public sealed class NpcSpawnedMessage : ReliableMessage
    {
        /// <summary>The script.</summary>
        public string Script { get; set; }
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>False: it left.</summary>
        public bool Alive { get; set; } = true;

        public override string Type => "npc_spawned";

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Script = f.Text("script", 1, 64, TextForm.Id);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            if (f.Contains("alive")) Alive = f.Flag("alive");
        }
    }

    /// <summary>
    /// Somebody speaks to an NPC of the script; answer with <c>hear_answer</c> before the deadline.
    ///
    /// Without an answer in time the NPC replies as if the script had said nothing.
    /// </summary>
    public sealed class HeardMessage : ReliableMessage
    {
        /// <summary>The script.</summary>
        public string Script { get; set; }
        /// <summary>Names this question.</summary>
        public long Call { get; set; }
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>Who speaks.</summary>
        public SpeakerView Speaker { get; set; }
        /// <summary>What is said.</summary>
        public string Text { get; set; }
        /// <summary>Seconds the server waits.</summary>
        public double DeadlineS { get; set; }
        /// <summary>The actions that the NPC is offered after this reply if the script does not say.</summary>
        public string[] Actions { get; set; }

        public override string Type => "heard";

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Script = f.Text("script", 1, 64, TextForm.Id);
            Call = f.Integer("call", 1, 9007199254740991);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            Speaker = SpeakerView.Parse(f.Part("speaker"));
            Text = f.Text("text", 0, int.MaxValue, TextForm.Any);
            DeadlineS = f.Real("deadline_s", double.MinValue, double.MaxValue);
            if (f.Has("actions")) Actions = f.Texts("actions", 0, int.MaxValue, 1, 64, TextForm.Identifier);
        }
    }

    /// <summary>A script's answer to what its NPC heard.</summary>
    public sealed class HearAnswerMessage : ClientMessage
    {
        /// <summary>From <c>heard</c>.</summary>
        public long Call { get; set; }
        /// <summary>Facts for this reply only, put before what was said.</summary>
        public string Material { get; set; }
        /// <summary>Says exactly this; the model is not asked.</summary>
        public string Reply { get; set; }
        /// <summary>The NPC does not answer: the reply ends at once, empty.</summary>
        public bool Ignore { get; set; }
        /// <summary>The actions it may choose from after this reply; null = all that are not gated.</summary>
        public string[] Actions { get; set; }

        public override string Type => "hear_answer";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("call", Call, 1, 9007199254740991);
            if (Material != null) w.Text("material", Material, 0, 4000, TextForm.Any);
            if (Reply != null) w.Text("reply", Reply, 1, 4000, TextForm.Any);
            w.Flag("ignore", Ignore);
            if (Actions != null) w.Texts("actions", Actions, 0, 64, 1, 64, TextForm.Identifier);
        }
    }

    /// <summary>
    /// An NPC of the script is about to act; answer with <c>action_verdict</c> before the deadline.
    ///
    /// Without an answer in time it does not.
    /// </summary>
    public sealed class ActionChosenMessage : ReliableMessage
    {
        /// <summary>The script.</summary>
        public string Script { get; set; }
        /// <summary>Names this question.</summary>
        public long Call { get; set; }
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>Name of the action, the game's or the script's.</summary>
        public string Name { get; set; }
        /// <summary>Valid under the schema of the action.</summary>
        public JsonValue Arguments { get; set; }
        /// <summary>Seconds the server waits.</summary>
        public double DeadlineS { get; set; }

        public override string Type => "action_chosen";

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Script = f.Text("script", 1, 64, TextForm.Id);
            Call = f.Integer("call", 1, 9007199254740991);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            Name = f.Text("name", 1, 64, TextForm.Identifier);
            Arguments = f.Object("arguments");
            DeadlineS = f.Real("deadline_s", double.MinValue, double.MaxValue);
        }
    }

    /// <summary>A script's verdict on an action that its NPC is about to take.</summary>
    public sealed class ActionVerdictMessage : ClientMessage
    {
        /// <summary>From <c>action_chosen</c>.</summary>
        public long Call { get; set; }
        /// <summary>False = the NPC does not act; the game is told nothing.</summary>
        public bool Ok { get; set; }

        public override string Type => "action_verdict";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("call", Call, 1, 9007199254740991);
            w.Flag("ok", Ok);
        }
    }

    /// <summary>A player came within the interaction radius of an NPC of the script.</summary>
    public sealed class PlayerNearMessage : ReliableMessage
    {
        /// <summary>The script.</summary>
        public string Script { get; set; }
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>The player.</summary>
        public string Player { get; set; }
        /// <summary>How far away, m.</summary>
        public double DistanceM { get; set; }

        public override string Type => "player_near";

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Script = f.Text("script", 1, 64, TextForm.Id);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            Player = f.Text("player", 1, 64, TextForm.Id);
            DistanceM = f.Real("distance_m", double.MinValue, double.MaxValue);
        }
    }

    /// <summary>The player went out of reach again (1.25 times the radius) or is gone.</summary>
    public sealed class PlayerLeftMessage : ReliableMessage
    {
        /// <summary>The script.</summary>
        public string Script { get; set; }
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>The player.</summary>
        public string Player { get; set; }

        public override string Type => "player_left";

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Script = f.Text("script", 1, 64, TextForm.Id);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            Player = f.Text("player", 1, 64, TextForm.Id);
        }
    }

    /// <summary>Game time went on for an NPC of the script. May be skipped for a slow mod.</summary>
    public sealed class NpcTickMessage : ServerMessage
    {
        /// <summary>The script.</summary>
        public string Script { get; set; }
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>Game time, s.</summary>
        public double GameTimeS { get; set; }
        /// <summary>Invocation distance; null = no expectation.</summary>
        public double? DistanceS { get; set; }

        public override string Type => "npc_tick";

        internal override void ReadFields(FieldReader f)
        {
            Script = f.Text("script", 1, 64, TextForm.Id);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            GameTimeS = f.Real("game_time_s", double.MinValue, double.MaxValue);
            if (f.Has("distance_s")) DistanceS = f.Real("distance_s", double.MinValue, double.MaxValue);
        }
    }

    /// <summary>Outcome of an action of one of the script's NPCs.</summary>
    public sealed class ActionDoneMessage : ReliableMessage
    {
        /// <summary>The script.</summary>
        public string Script { get; set; }
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>The action.</summary>
        public long Action { get; set; }
        /// <summary>Its name.</summary>
        public string Name { get; set; }
        /// <summary>Whether the game carried it out.</summary>
        public bool Ok { get; set; }
        /// <summary>What the game says of it.</summary>
        public string Message { get; set; } = "";

        public override string Type => "action_done";

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Script = f.Text("script", 1, 64, TextForm.Id);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            Action = f.Integer("action", 1, 9007199254740991);
            Name = f.Text("name", 1, 64, TextForm.Identifier);
            Ok = f.Flag("ok");
            if (f.Contains("message")) Message = f.Text("message", 0, int.MaxValue, TextForm.Any);
        }
    }
}
