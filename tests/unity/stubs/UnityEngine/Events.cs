using System;

namespace UnityEngine.Events
{
    public delegate void UnityAction();

    public delegate void UnityAction<T0>(T0 arg0);

    [Serializable]
    public abstract class UnityEventBase
    {
        /// <summary>Listeners set in the inspector: there are none here.</summary>
        public int GetPersistentEventCount() => 0;

        public void RemoveAllListeners() => Clear();

        internal abstract void Clear();
    }

    [Serializable]
    public class UnityEvent : UnityEventBase
    {
        private UnityAction _listeners;

        public void AddListener(UnityAction call) => _listeners += call;

        public void Invoke() => _listeners?.Invoke();

        internal override void Clear() => _listeners = null;
    }

    [Serializable]
    public class UnityEvent<T0> : UnityEventBase
    {
        private UnityAction<T0> _listeners;

        public void AddListener(UnityAction<T0> call) => _listeners += call;

        public void RemoveListener(UnityAction<T0> call) => _listeners -= call;

        public void Invoke(T0 arg0) => _listeners?.Invoke(arg0);

        internal override void Clear() => _listeners = null;
    }
}
