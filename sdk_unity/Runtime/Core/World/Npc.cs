using System;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>An NPC of a <see cref="GameWorld"/>.</summary>
    public sealed class Npc : Mover
    {
        private readonly GameWorld _world;
        private float _nextCallS = float.NaN;
        private NpcFlags _flags;

        internal Npc(GameWorld world, NpcSpec spec)
            : base(spec.Npc)
        {
            _world = world;
            Spec = new NpcSpec
            {
                Npc = spec.Npc,
                Name = spec.Name,
                Persona = spec.Persona,
                Archetype = spec.Archetype,
                Adapter = spec.Adapter,
                Position = spec.Position,
                InteractionRadiusM = spec.InteractionRadiusM,
                Sociability = spec.Sociability,
                Schedule = spec.Schedule,
                Actions = spec.Actions,
            };
            ActionSpecs = spec.ActionSpecs;
            Knowledge = spec.Knowledge;
        }

        /// <summary>It begins to answer somebody.</summary>
        public event Action<Reply> ReplyStarted;

        /// <summary>More of a reply's text came; the second argument is what was added.</summary>
        public event Action<Reply, string> TextAdded;

        /// <summary>A reply ended or failed.</summary>
        public event Action<Reply> ReplyCompleted;

        /// <summary>It wants to act.</summary>
        public event Action<NpcAction> Acted;

        /// <summary>As others call it.</summary>
        public string Name => Spec.Name;

        /// <summary>What the server said of it last; null before that, and without <see cref="Topic.Npcs"/>.</summary>
        public NpcState LastState { get; internal set; }

        /// <summary>The reply that began last; null if there was none.</summary>
        public Reply LastReply { get; private set; }

        /// <summary>As described to the server; what is changed by <see cref="Update"/> is changed here too.</summary>
        internal NpcSpec Spec { get; }

        /// <summary>Actions that it can take; told to servers that know them.</summary>
        internal ActionSpec[] ActionSpecs { get; set; }

        /// <summary>Facts it knows; told to servers that know them.</summary>
        internal string[] Knowledge { get; set; }

        /// <summary>True if the next delta must name it whether it moved or not.</summary>
        internal bool HasNews { get; private set; }

        internal float NextCallS => _nextCallS;

        internal NpcFlags Flags => _flags;

        /// <summary>It cannot talk now: asleep, dead, in a cutscene.</summary>
        public bool IsUnavailable
        {
            get => (_flags & NpcFlags.Unavailable) != 0;
            set
            {
                if (value != IsUnavailable)
                {
                    _flags ^= NpcFlags.Unavailable;
                    HasNews = true;
                }
            }
        }

        /// <summary>Says something to it, as a player.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters.</exception>
        public Reply Say(string text, Player player) =>
            Say(new SayMessage { Text = text, Speaker = new Speaker { Kind = SpeakerKind.Player, Id = player.Id } });

        /// <summary>Says something to it, as another NPC.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters.</exception>
        public Reply Say(string text, Npc speaker) =>
            Say(new SayMessage { Text = text, Speaker = new Speaker { Kind = SpeakerKind.Npc, Id = speaker.Id } });

        /// <summary>Says something to it that no one in the world says: an event, a stage direction.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters.</exception>
        public Reply Say(string text) =>
            Say(new SayMessage { Text = text, Speaker = new Speaker { Kind = SpeakerKind.Narrator } });

        /// <summary>Says something to it, with every option the protocol has.</summary>
        /// <exception cref="CallsheetException">A field breaks a rule of the protocol.</exception>
        public Reply Say(SayMessage say)
        {
            say.Npc = Id;
            return _world.Ask(this, say);
        }

        /// <summary>Makes it say a given line, without the model. NPCs within <paramref name="audibleM"/> overhear it, m; null: nobody.</summary>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters, or the distance is negative.</exception>
        public Reply Speak(string text, double? audibleM = null) =>
            _world.Ask(this, new SpeakMessage { Npc = Id, Text = text, AudibleM = audibleM });

        /// <summary>Tells in how many seconds of game time it will need the model; sent with the next tick.</summary>
        public void HintNextCall(float inS)
        {
            if (!(inS >= 0) || float.IsInfinity(inS))
            {
                throw new ArgumentOutOfRangeException(nameof(inS), inS, "must be finite and not negative");
            }
            _nextCallS = inS;
            _flags &= ~NpcFlags.ClearSchedule;
            HasNews = true;
        }

        /// <summary>Takes the hinted call back; sent with the next tick.</summary>
        public void ClearHint()
        {
            _nextCallS = float.NaN;
            _flags |= NpcFlags.ClearSchedule;
            HasNews = true;
        }

        /// <summary>Changes what the server knows of it; fields left null keep their value.</summary>
        /// <exception cref="CallsheetException">A field breaks a rule of the protocol.</exception>
        public void Update(UpdateNpcMessage change)
        {
            change.Npc = Id;
            _world.Update(this, change);
        }

        internal void TickSent()
        {
            Sent();
            HasNews = false;
            _nextCallS = float.NaN;
            _flags &= ~NpcFlags.ClearSchedule;
        }

        internal void OnReplyStarted(Reply reply)
        {
            LastReply = reply;
            ReplyStarted?.Invoke(reply);
        }

        internal void OnTextAdded(Reply reply, string added) => TextAdded?.Invoke(reply, added);

        internal void OnReplyCompleted(Reply reply)
        {
            LastReply = reply;
            ReplyCompleted?.Invoke(reply);
        }

        internal void OnActed(NpcAction action)
        {
            if (Acted == null)
            {
                action.Complete(false, "the game has no handler for actions of " + Id);
                return;
            }
            Acted(action);
        }
    }
}
