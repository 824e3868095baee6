using System;
using System.Collections.Generic;
using Callsheet.Core;
using UnityEngine;
using UnityEngine.Events;

namespace Callsheet
{
    /// <summary>An event with a text, for the inspector.</summary>
    [Serializable]
    public sealed class TextEvent : UnityEvent<string>
    {
    }

    /// <summary>An event with an action of an NPC, for the inspector.</summary>
    [Serializable]
    public sealed class ActionEvent : UnityEvent<NpcAction>
    {
        private readonly List<UnityAction<NpcAction>> _addedInCode = new List<UnityAction<NpcAction>>();

        /// <summary>True if anybody hears of the action: Unity counts the listeners of the inspector only.</summary>
        internal bool HasListeners => _addedInCode.Count > 0 || GetPersistentEventCount() > 0;

        /// <summary>Adds a method to call.</summary>
        public new void AddListener(UnityAction<NpcAction> call)
        {
            base.AddListener(call);
            _addedInCode.Add(call);
        }

        /// <summary>Removes a method that was added.</summary>
        public new void RemoveListener(UnityAction<NpcAction> call)
        {
            base.RemoveListener(call);
            _addedInCode.RemoveAll(known => known == call);
        }

        /// <summary>Removes all methods that were added.</summary>
        public new void RemoveAllListeners()
        {
            base.RemoveAllListeners();
            _addedInCode.Clear();
        }
    }

    /// <summary>What the inspector of an NPC can wire up.</summary>
    [Serializable]
    public sealed class NpcEvents
    {
        [Tooltip("It begins to answer.")]
        public UnityEvent replyStarted = new UnityEvent();

        [Tooltip("The text so far, every time some is added: show it in a bubble.")]
        public TextEvent textChanged = new TextEvent();

        [Tooltip("The whole text, once the reply is complete.")]
        public TextEvent replyEnded = new TextEvent();

        [Tooltip("The reply failed; the text says why.")]
        public TextEvent replyFailed = new TextEvent();

        [Tooltip("It wants to act, and no [CallsheetAction] method on this object does it.")]
        public ActionEvent acted = new ActionEvent();
    }
}
