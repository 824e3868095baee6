using System;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>An NPC: put it on any object, write who it is, and talk to it with <see cref="Say(string)"/>.</summary>
    [DisallowMultipleComponent]
    [AddComponentMenu("Callsheet/Callsheet NPC")]
    public sealed partial class CallsheetNpc : CallsheetMover
    {
        [Tooltip("Unique among NPCs; what it remembers is kept under it. In a scene it is made by itself; empty in what is instantiated = the name of the object, with a number if it is taken.")]
        [SerializeField]
        private string npcId = "";

        [Tooltip("Who it is, in the second person: \"You are Bob, a grumpy baker...\". At most 16,000 characters; the shorter, the faster.")]
        [TextArea(4, 20)]
        [SerializeField]
        private string persona = "";

        [Tooltip("A label that scripts can bind to, such as guard. Optional.")]
        [SerializeField]
        private string archetype = "";

        [Tooltip("A LoRA adapter the server knows. Optional.")]
        [SerializeField]
        private string adapter = "";

        [Tooltip("How near a player comes before a talk can start, m.")]
        [Min(0f)]
        [SerializeField]
        private float interactionRadius = 3f;

        [Tooltip("0 = never talks to other NPCs, 1 = with everyone in reach.")]
        [Range(0f, 1f)]
        [SerializeField]
        private float sociability;

        [Tooltip("Facts it knows, besides those of its archetype (Project Settings > Callsheet): \"Ann owes you three coins.\"")]
        [SerializeField]
        private string[] knowledge = new string[0];

        [Tooltip("Times of game time at which it will need the model, whoever is near.")]
        [SerializeField]
        private ScheduleEntry[] schedule = new ScheduleEntry[0];

        [SerializeField]
        private NpcEvents events = new NpcEvents();

        private NpcActions _actions;
        private string _toldActions = "";

        /// <summary>It begins to answer somebody.</summary>
        public event Action<Reply> ReplyStarted;

        /// <summary>More of a reply's text came; the second argument is what was added.</summary>
        public event Action<Reply, string> TextAdded;

        /// <summary>A reply ended or failed.</summary>
        public event Action<Reply> ReplyCompleted;

        /// <summary>It wants to act, and no [CallsheetAction] method on this object does it. Call <see cref="NpcAction.Complete"/>.</summary>
        public event Action<NpcAction> Acted;

        /// <summary>Under another id it is another NPC: the one with the old id leaves the world.</summary>
        public string NpcId
        {
            get => Npc != null ? Npc.Id : npcId;
            set
            {
                npcId = value;
                Rename(value);
            }
        }

        /// <summary>Who it is. A change while it is in the world reaches the server at once.</summary>
        public string Persona
        {
            get => persona;
            set
            {
                persona = value;
                Npc?.Update(new UpdateNpcMessage { Persona = value });
            }
        }

        /// <summary>A label that scripts can bind to, such as guard.</summary>
        public string Archetype
        {
            get => archetype;
            set => archetype = value;
        }

        /// <summary>How near a player comes before a talk can start, m.</summary>
        public float InteractionRadius
        {
            get => interactionRadius;
            set
            {
                interactionRadius = value;
                Npc?.Update(new UpdateNpcMessage { InteractionRadiusM = value });
            }
        }

        /// <summary>0 = never talks to other NPCs, 1 = with everyone in reach.</summary>
        public float Sociability
        {
            get => sociability;
            set
            {
                sociability = value;
                Npc?.Update(new UpdateNpcMessage { Sociability = value });
            }
        }

        /// <summary>The events that the inspector shows.</summary>
        public NpcEvents Events => events;

        /// <summary>The NPC under this component; null before it was first enabled.</summary>
        public Npc Npc => (Npc)Mover;

        /// <summary>
        /// Asked before each action, whoever carries it out: the reason why it may not be done now, or null. The
        /// action fails with the reason, and the NPC remembers it.
        /// </summary>
        public Func<NpcAction, string> Judge { get; set; }

        /// <summary>What its [CallsheetAction] methods can do, and those under way.</summary>
        internal NpcActions Actions => _actions ?? (_actions = new NpcActions(this));

        internal override string Kind => "NPC";

        internal override string GivenId => npcId;

        internal override bool IsTaken(string id) => Client.World.FindNpc(id) != null;

        internal override Mover Enter(string id)
        {
            var spec = new NpcSpec
            {
                Npc = id,
                Name = SpokenName,
                Persona = persona ?? "",
                Archetype = string.IsNullOrEmpty(archetype) ? null : archetype,
                Adapter = string.IsNullOrEmpty(adapter) ? null : adapter,
                InteractionRadiusM = interactionRadius,
                Sociability = sociability,
                Schedule = Array.ConvertAll(schedule, entry => entry.ToWire()),
                Knowledge = AllKnowledge().Length > 0 ? AllKnowledge() : null,
            };
            Npc npc = Client.World.Add(spec);
            _toldActions = "";
            npc.ReplyStarted += OnReplyStarted;
            npc.TextAdded += OnTextAdded;
            npc.ReplyCompleted += OnReplyCompleted;
            npc.Acted += OnActed;
            return npc;
        }

        internal override void Detach()
        {
            base.Detach();
            Npc.ReplyStarted -= OnReplyStarted;
            Npc.TextAdded -= OnTextAdded;
            Npc.ReplyCompleted -= OnReplyCompleted;
            Npc.Acted -= OnActed;
        }

        internal override void Appear() => Client.Register(this);

        internal override void Disappear()
        {
            Client.Unregister(this);
            Actions.FailRunning(SpokenName + " was disabled before it was done");
        }

        internal override void Leave() => Client.World.Remove(Npc);

        internal override void TellName() => Npc.Update(new UpdateNpcMessage { Name = SpokenName });

        private Npc Need() => Npc ?? throw new InvalidOperationException(
            "NPC '" + name + "' is not in the world: enable its object first, and see the console for errors");

        private void OnReplyStarted(Reply reply)
        {
            ReplyStarted?.Invoke(reply);
            events.replyStarted.Invoke();
        }

        private void OnTextAdded(Reply reply, string added)
        {
            TextAdded?.Invoke(reply, added);
            events.textChanged.Invoke(reply.Text);
        }

        private void OnReplyCompleted(Reply reply)
        {
            ReplyCompleted?.Invoke(reply);
            if (reply.State == ReplyState.Failed)
            {
                events.replyFailed.Invoke(reply.Error.ToString());
            }
            else
            {
                events.replyEnded.Invoke(reply.Text);
            }
        }

        private void OnActed(NpcAction action)
        {
            try
            {
                string refusal = Judge?.Invoke(action);
                if (!string.IsNullOrEmpty(refusal))
                {
                    action.Complete(false, refusal);
                }
                else if (!Actions.TryRun(action))
                {
                    Offer(action);
                }
            }
            catch (Exception thrown)
            {
                ActionRun.Fail(this, action, thrown);
            }
        }

        private void Offer(NpcAction action)
        {
            bool heard = Acted != null || events.acted.HasListeners;
            Acted?.Invoke(action);
            events.acted.Invoke(action);
            if (!heard && !action.IsComplete)
            {
                Actions.Refuse(action);
            }
        }

        /// <summary>While the game plays, every NPC shows its state; a scene that is edited is not covered with spheres.</summary>
        private void OnDrawGizmos()
        {
            if (Npc != null)
            {
                DrawRadius();
            }
        }

        private void OnDrawGizmosSelected() => DrawRadius();

        private void DrawRadius()
        {
            Gizmos.color = NpcColors.Of(Npc == null ? null : Npc.LastState);
            Gizmos.DrawWireSphere(transform.position, interactionRadius);
        }
    }
}
