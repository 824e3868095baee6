// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>Something NPCs know only where, when and while all its conditions hold.</summary>
    public sealed class ConditionalLore
    {
        /// <summary>What is known.</summary>
        public string Text { get; set; }
        /// <summary>NPCs of these archetypes; null = all.</summary>
        public string[] Archetypes { get; set; }
        /// <summary>NPCs within <c>radius_m</c> of it; null = everywhere.</summary>
        public Vec3? Place { get; set; }
        /// <summary>Distance from <c>place</c>, m.</summary>
        public double RadiusM { get; set; } = 10;
        /// <summary>Game time from which it is known; null = 0.</summary>
        public double? FromS { get; set; }
        /// <summary>Game time from which it is not known any more; null = never.</summary>
        public double? UntilS { get; set; }
        /// <summary>Game time after which <c>from_s</c> to <c>until_s</c> come again: a day; null = they do not.</summary>
        public double? EveryS { get; set; }
        /// <summary>While this flag is set; null = always.</summary>
        public string Flag { get; set; }

        internal static void Format(JsonWriter w, ConditionalLore p)
        {
            w.Text("text", p.Text, 1, 1000, TextForm.Any);
            if (p.Archetypes != null) w.Texts("archetypes", p.Archetypes, 0, 100, 1, 64, TextForm.Id);
            if (p.Place != null) w.Vector("place", p.Place.Value, -1e+07, 1e+07);
            w.Real("radius_m", p.RadiusM, 0, 100000);
            if (p.FromS != null) w.Real("from_s", p.FromS.Value, 0, 1e+12);
            if (p.UntilS != null) w.Real("until_s", p.UntilS.Value, 0, 1e+12);
            if (p.EveryS != null) w.Real("every_s", p.EveryS.Value, double.Epsilon, 1e+09);
            if (p.Flag != null) w.Text("flag", p.Flag, 1, 64, TextForm.Id);
        }
    }

    /// <summary>Sets what holds for a whole world. Fields left out keep their value.</summary>
    public sealed class ConfigureWorldMessage : RequestMessage
    {
        /// <summary>Text every NPC of the world knows; the prompt prefix they share.</summary>
        public string Lore { get; set; }
        /// <summary>The fastest a player can move, m/s. Tell the truth: it decides how early an NPC is made ready.</summary>
        public double? PlayerMaxSpeedMps { get; set; }
        /// <summary>The fastest an NPC can move, m/s.</summary>
        public double? NpcMaxSpeedMps { get; set; }
        /// <summary>Lore with conditions, in place of that before.</summary>
        public ConditionalLore[] LoreEntries { get; set; }
        /// <summary>Flags that are set now, such as those of quests; all others are not.</summary>
        public string[] Flags { get; set; }

        public override string Type => "configure_world";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            if (Lore != null) w.Text("lore", Lore, 0, 16000, TextForm.Any);
            if (PlayerMaxSpeedMps != null) w.Real("player_max_speed_mps", PlayerMaxSpeedMps.Value, double.Epsilon, 10000);
            if (NpcMaxSpeedMps != null) w.Real("npc_max_speed_mps", NpcMaxSpeedMps.Value, double.Epsilon, 10000);
            if (LoreEntries != null) w.Parts("lore_entries", LoreEntries, 0, 256, ConditionalLore.Format);
            if (Flags != null) w.Texts("flags", Flags, 0, 256, 1, 64, TextForm.Id);
        }
    }

    /// <summary>A time at which an NPC will need the model.</summary>
    public sealed class ScheduledCall
    {
        /// <summary>Absolute game time.</summary>
        public double AtS { get; set; }
        /// <summary>Game time between repeats; null = the call comes once.</summary>
        public double? EveryS { get; set; }

        internal static void Format(JsonWriter w, ScheduledCall p)
        {
            w.Real("at_s", p.AtS, 0, 1e+12);
            if (p.EveryS != null) w.Real("every_s", p.EveryS.Value, double.Epsilon, 1e+09);
        }
    }

    /// <summary>Something an NPC may do, as a function call.</summary>
    public sealed class ActionSpec
    {
        /// <summary>Unique in its list; not <c>none</c>.</summary>
        public string Name { get; set; }
        /// <summary>Tells the model when to use it.</summary>
        public string Description { get; set; }
        /// <summary>JSON schema (draft 2020-12) of an object; its properties are the arguments.</summary>
        public JsonValue Parameters { get; set; }
        /// <summary>True = offered only where a <c>say</c> or a <c>hear_answer</c> allows it.</summary>
        public bool? Gated { get; set; }

        internal static void Format(JsonWriter w, ActionSpec p)
        {
            w.Text("name", p.Name, 1, 64, TextForm.Identifier);
            w.Text("description", p.Description, 0, 500, TextForm.Any);
            w.Object("parameters", p.Parameters);
            if (p.Gated != null) w.Flag("gated", p.Gated.Value);
        }
    }

    /// <summary>An NPC as the game first describes it.</summary>
    public sealed class NpcSpec
    {
        /// <summary>Unique among the NPCs alive in the world.</summary>
        public string Npc { get; set; }
        /// <summary>As others call it.</summary>
        public string Name { get; set; }
        /// <summary>Who the NPC is, in the second person.</summary>
        public string Persona { get; set; } = "";
        /// <summary>A label scripts can bind to ("guard").</summary>
        public string Archetype { get; set; }
        /// <summary>A LoRA adapter known to the engine.</summary>
        public string Adapter { get; set; }
        /// <summary>How near a player comes before a talk can start, m.</summary>
        public double InteractionRadiusM { get; set; } = 3;
        /// <summary>0 = never talks to other NPCs, 1 = with everyone in reach.</summary>
        public double Sociability { get; set; }
        /// <summary>Where it is, m. Absent = inactive until a tick names it.</summary>
        public Vec3? Position { get; set; }
        /// <summary>When it will need the model.</summary>
        public ScheduledCall[] Schedule { get; set; } = System.Array.Empty<ScheduledCall>();
        /// <summary>The only actions it may take, whatever its script offers; null = all of them.</summary>
        public string[] Actions { get; set; }
        /// <summary>Actions that it can take without a script.</summary>
        public ActionSpec[] ActionSpecs { get; set; }
        /// <summary>Facts it knows, whatever its persona and its script say.</summary>
        public string[] Knowledge { get; set; }

        internal static void Format(JsonWriter w, NpcSpec p)
        {
            w.Text("npc", p.Npc, 1, 64, TextForm.Id);
            w.Text("name", p.Name, 1, 100, TextForm.Any);
            w.Text("persona", p.Persona, 0, 16000, TextForm.Any);
            if (p.Archetype != null) w.Text("archetype", p.Archetype, 1, 64, TextForm.Id);
            if (p.Adapter != null) w.Text("adapter", p.Adapter, 1, 64, TextForm.Id);
            w.Real("interaction_radius_m", p.InteractionRadiusM, 0, 100000);
            w.Real("sociability", p.Sociability, 0, 1);
            if (p.Position != null) w.Vector("position", p.Position.Value, -1e+07, 1e+07);
            w.Parts("schedule", p.Schedule, 0, 64, ScheduledCall.Format);
            if (p.Actions != null) w.Texts("actions", p.Actions, 0, 32, 1, 64, TextForm.Identifier);
            if (p.ActionSpecs != null) w.Parts("action_specs", p.ActionSpecs, 0, 32, ActionSpec.Format);
            if (p.Knowledge != null) w.Texts("knowledge", p.Knowledge, 0, 32, 1, 500, TextForm.Any);
        }
    }

    /// <summary>A player as the game first describes it.</summary>
    public sealed class PlayerSpec
    {
        /// <summary>Unique among the players present in the world.</summary>
        public string Player { get; set; }
        /// <summary>As NPCs know them.</summary>
        public string Name { get; set; }
        /// <summary>Where they are, m. Absent = absent until a tick names them.</summary>
        public Vec3? Position { get; set; }

        internal static void Format(JsonWriter w, PlayerSpec p)
        {
            w.Text("player", p.Player, 1, 64, TextForm.Id);
            w.Text("name", p.Name, 1, 100, TextForm.Any);
            if (p.Position != null) w.Vector("position", p.Position.Value, -1e+07, 1e+07);
        }
    }

    /// <summary>Adds NPCs and players to the world, all or none; answered by <c>spawned</c>.</summary>
    public sealed class SpawnMessage : RequestMessage
    {
        /// <summary>At most <c>limits.max_npcs_per_spawn</c>.</summary>
        public NpcSpec[] Npcs { get; set; } = System.Array.Empty<NpcSpec>();
        /// <summary>Players to add.</summary>
        public PlayerSpec[] Players { get; set; } = System.Array.Empty<PlayerSpec>();

        public override string Type => "spawn";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Parts("npcs", Npcs, 0, int.MaxValue, NpcSpec.Format);
            w.Parts("players", Players, 0, int.MaxValue, PlayerSpec.Format);
        }
    }

    /// <summary>The handle that ticks use for an NPC.</summary>
    public sealed class SpawnedNpc
    {
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>For ticks.</summary>
        public uint Handle { get; set; }

        internal static SpawnedNpc Parse(FieldReader f)
        {
            var p = new SpawnedNpc();
            p.Npc = f.Text("npc", 1, 64, TextForm.Id);
            p.Handle = f.Handle("handle");
            return p;
        }
    }

    /// <summary>The handle that ticks use for a player.</summary>
    public sealed class SpawnedPlayer
    {
        /// <summary>The player.</summary>
        public string Player { get; set; }
        /// <summary>For ticks.</summary>
        public uint Handle { get; set; }

        internal static SpawnedPlayer Parse(FieldReader f)
        {
            var p = new SpawnedPlayer();
            p.Player = f.Text("player", 1, 64, TextForm.Id);
            p.Handle = f.Handle("handle");
            return p;
        }
    }

    /// <summary>The handles of what was spawned, in the order sent.</summary>
    public sealed class SpawnedMessage : ReliableMessage
    {
        /// <summary>The request this answers.</summary>
        public long Id { get; set; }
        /// <summary>One per NPC.</summary>
        public SpawnedNpc[] Npcs { get; set; } = System.Array.Empty<SpawnedNpc>();
        /// <summary>One per player.</summary>
        public SpawnedPlayer[] Players { get; set; } = System.Array.Empty<SpawnedPlayer>();
        /// <summary>A note to the game's author, in one line.</summary>
        public string Note { get; set; }

        public override string Type => "spawned";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Id = f.Integer("id", 1, 9007199254740991);
            if (f.Contains("npcs")) Npcs = f.Parts("npcs", 0, int.MaxValue, SpawnedNpc.Parse);
            if (f.Contains("players")) Players = f.Parts("players", 0, int.MaxValue, SpawnedPlayer.Parse);
            if (f.Has("note")) Note = f.Text("note", 0, int.MaxValue, TextForm.Any);
        }
    }

    /// <summary>Changes an NPC. Fields left out keep their value. Answered by <c>ok</c>.</summary>
    public sealed class UpdateNpcMessage : RequestMessage
    {
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>New name.</summary>
        public string Name { get; set; }
        /// <summary>New persona. Its prompt prefix is computed anew.</summary>
        public string Persona { get; set; }
        /// <summary>An adapter id; the empty string takes the adapter away.</summary>
        public string Adapter { get; set; }
        /// <summary>New radius, m.</summary>
        public double? InteractionRadiusM { get; set; }
        /// <summary>New sociability.</summary>
        public double? Sociability { get; set; }
        /// <summary>Replaces the whole schedule; <c>[]</c> clears it.</summary>
        public ScheduledCall[] Schedule { get; set; }
        /// <summary>The only actions it may take; only the game may say so.</summary>
        public string[] Actions { get; set; }
        /// <summary>Actions that it can take without a script, in place of those before; from the game only.</summary>
        public ActionSpec[] ActionSpecs { get; set; }
        /// <summary>Facts it knows, in place of those before.</summary>
        public string[] Knowledge { get; set; }

        public override string Type => "update_npc";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("npc", Npc, 1, 64, TextForm.Id);
            if (Name != null) w.Text("name", Name, 1, 100, TextForm.Any);
            if (Persona != null) w.Text("persona", Persona, 0, 16000, TextForm.Any);
            if (Adapter != null) w.Text("adapter", Adapter, 0, 64, TextForm.IdOrEmpty);
            if (InteractionRadiusM != null) w.Real("interaction_radius_m", InteractionRadiusM.Value, 0, 100000);
            if (Sociability != null) w.Real("sociability", Sociability.Value, 0, 1);
            if (Schedule != null) w.Parts("schedule", Schedule, 0, 64, ScheduledCall.Format);
            if (Actions != null) w.Texts("actions", Actions, 0, 32, 1, 64, TextForm.Identifier);
            if (ActionSpecs != null) w.Parts("action_specs", ActionSpecs, 0, 32, ActionSpec.Format);
            if (Knowledge != null) w.Texts("knowledge", Knowledge, 0, 32, 1, 500, TextForm.Any);
        }
    }

    /// <summary>
    /// Removes NPCs and players, all or none; open replies of the NPCs are cancelled.
    ///
    /// What the NPCs remember is kept.
    /// </summary>
    public sealed class DespawnMessage : RequestMessage
    {
        /// <summary>NPC ids.</summary>
        public string[] Npcs { get; set; } = System.Array.Empty<string>();
        /// <summary>Player ids.</summary>
        public string[] Players { get; set; } = System.Array.Empty<string>();

        public override string Type => "despawn";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Texts("npcs", Npcs, 0, int.MaxValue, 1, 64, TextForm.Id);
            w.Texts("players", Players, 0, int.MaxValue, 1, 64, TextForm.Id);
        }
    }

    /// <summary>Hint at when one NPC will need the model next.</summary>
    public sealed class Hint
    {
        /// <summary>The NPC.</summary>
        public string Npc { get; set; }
        /// <summary>Seconds of game time from the last tick; null takes an earlier hint back.</summary>
        public double? InS { get; set; }

        internal static void Format(JsonWriter w, Hint p)
        {
            w.Text("npc", p.Npc, 1, 64, TextForm.Id);
            if (p.InS != null) w.Real("in_s", p.InS.Value, 0, 1e+12);
        }
    }

    /// <summary>Schedule hints outside ticks; answered by <c>ok</c>. The last hint of an NPC wins.</summary>
    public sealed class HintCallsMessage : RequestMessage
    {
        /// <summary>At most one per NPC.</summary>
        public Hint[] Hints { get; set; } = System.Array.Empty<Hint>();

        public override string Type => "hint_calls";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Parts("hints", Hints, 1, 10000, Hint.Format);
        }
    }

    /// <summary>One NPC in a JSON tick; the fields of the binary record.</summary>
    public sealed class TickNpc
    {
        /// <summary>The NPC's handle.</summary>
        public uint Handle { get; set; }
        /// <summary>Where it is, m.</summary>
        public Vec3 Position { get; set; }
        /// <summary>How it moves, m/s.</summary>
        public Vec3 Velocity { get; set; }
        /// <summary>Seconds of game time until the next scheduled call; replaces the hint. Absent says nothing (NaN in binary).</summary>
        public double? NextCallS { get; set; }
        /// <summary>1 unavailable, 2 clear schedule; see Binary layout.</summary>
        public long Flags { get; set; }

        internal static void Format(JsonWriter w, TickNpc p)
        {
            w.Handle("handle", p.Handle);
            w.Vector("position", p.Position, -1e+07, 1e+07);
            w.Vector("velocity", p.Velocity, -1e+07, 1e+07);
            if (p.NextCallS != null) w.Real("next_call_s", p.NextCallS.Value, 0, 1e+12);
            w.Integer("flags", p.Flags, 0, 3);
        }
    }

    /// <summary>One player in a JSON tick; the fields of the binary record.</summary>
    public sealed class TickPlayer
    {
        /// <summary>The player's handle.</summary>
        public uint Handle { get; set; }
        /// <summary>Where it is, m.</summary>
        public Vec3 Position { get; set; }
        /// <summary>How it moves, m/s.</summary>
        public Vec3 Velocity { get; set; }

        internal static void Format(JsonWriter w, TickPlayer p)
        {
            w.Handle("handle", p.Handle);
            w.Vector("position", p.Position, -1e+07, 1e+07);
            w.Vector("velocity", p.Velocity, -1e+07, 1e+07);
        }
    }

    /// <summary>A tick as JSON, for debugging and for clients without binary frames.</summary>
    public sealed class JsonTickMessage : ClientMessage
    {
        /// <summary>See Ticks.</summary>
        public TickKind Kind { get; set; }
        /// <summary>Number of the tick; strictly increases.</summary>
        public uint Tick { get; set; }
        /// <summary>Game time, s; never decreases, unless the tick rewinds.</summary>
        public double GameTimeS { get; set; }
        /// <summary>Ask for <c>tick_ack</c>.</summary>
        public bool Ack { get; set; }
        /// <summary>True = game time may be earlier than before; keyframes only.</summary>
        public bool? Rewind { get; set; }
        /// <summary>NPC records.</summary>
        public TickNpc[] Npcs { get; set; } = System.Array.Empty<TickNpc>();
        /// <summary>Player records.</summary>
        public TickPlayer[] Players { get; set; } = System.Array.Empty<TickPlayer>();

        public override string Type => "tick";

        internal override void WriteFields(JsonWriter w)
        {
            w.Enum("kind", (int)Kind, WireNames.TickKind);
            w.Handle("tick", Tick);
            w.Real("game_time_s", GameTimeS, 0, 1e+12);
            w.Flag("ack", Ack);
            if (Rewind != null) w.Flag("rewind", Rewind.Value);
            w.Parts("npcs", Npcs, 0, int.MaxValue, TickNpc.Format);
            w.Parts("players", Players, 0, int.MaxValue, TickPlayer.Format);
        }
    }

    /// <summary>The tick that asked for it went through the whole pipeline.</summary>
    public sealed class TickAckMessage : ServerMessage
    {
        /// <summary>Number of the tick.</summary>
        public uint Tick { get; set; }
        /// <summary>Its game time, s.</summary>
        public double GameTimeS { get; set; }

        public override string Type => "tick_ack";

        internal override void ReadFields(FieldReader f)
        {
            Tick = f.Handle("tick");
            GameTimeS = f.Real("game_time_s", double.MinValue, double.MaxValue);
        }
    }

    /// <summary>Gives an observer a player of its own in the world; answered by <c>joined</c>.</summary>
    public sealed class JoinMessage : RequestMessage
    {
        /// <summary>As NPCs know it.</summary>
        public string Name { get; set; }
        /// <summary>Where it is, m.</summary>
        public Vec3 Position { get; set; }

        public override string Type => "join";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("name", Name, 1, 100, TextForm.Any);
            w.Vector("position", Position, -1e+07, 1e+07);
        }
    }

    /// <summary>The player an observer has from now on, until its session ends or the game leaves.</summary>
    public sealed class JoinedMessage : ReliableMessage
    {
        /// <summary>The request this answers.</summary>
        public long Id { get; set; }
        /// <summary>Its id, chosen by the server.</summary>
        public string Player { get; set; }
        /// <summary>The world's <c>player_max_speed_mps</c>: estimates count on nobody being faster.</summary>
        public double MaxSpeedMps { get; set; }

        public override string Type => "joined";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Id = f.Integer("id", 1, 9007199254740991);
            Player = f.Text("player", 1, 64, TextForm.Id);
            MaxSpeedMps = f.Real("max_speed_mps", double.MinValue, double.MaxValue);
        }
    }

    /// <summary>Places the player an observer has joined with. Not answered.</summary>
    public sealed class MovePlayerMessage : ClientMessage
    {
        /// <summary>Where it is, m.</summary>
        public Vec3 Position { get; set; }
        /// <summary>How it moves, m/s.</summary>
        public Vec3 Velocity { get; set; }

        public override string Type => "move_player";

        internal override void WriteFields(JsonWriter w)
        {
            w.Vector("position", Position, -1e+07, 1e+07);
            w.Vector("velocity", Velocity, -1e+07, 1e+07);
        }
    }

    /// <summary>The game left for good; the world's NPCs are gone. Sent to mods and observers.</summary>
    public sealed class WorldClosedMessage : ReliableMessage
    {

        public override string Type => "world_closed";

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
        }
    }
}
