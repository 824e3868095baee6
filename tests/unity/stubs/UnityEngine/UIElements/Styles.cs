namespace UnityEngine.UIElements
{
    public enum DisplayStyle
    {
        Flex = 0,
        None = 1,
    }

    public struct StyleLength
    {
        public StyleLength(float v)
        {
            value = v;
        }

        /// <summary>A Length in Unity.</summary>
        internal float value { get; }

        public static implicit operator StyleLength(float v) => new StyleLength(v);
    }

    public struct StyleEnum<T>
        where T : struct
    {
        public StyleEnum(T v)
        {
            value = v;
        }

        public T value { get; set; }

        public static implicit operator StyleEnum<T>(T v) => new StyleEnum<T>(v);
    }
}
